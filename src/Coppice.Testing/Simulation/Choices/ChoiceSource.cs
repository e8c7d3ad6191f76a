namespace Coppice.Testing;

/// <summary>
/// Where all chance of a history comes from. Exploring, it chooses by a seed; replaying, it follows a list and after its end chooses
/// 0, which is always the dull thing: the oldest step, no fault. Either way it writes down what it chose.
/// </summary>
internal sealed class ChoiceSource
{
    private readonly IReadOnlyList<int>? _given;
    private readonly SeededRandom _random;
    private readonly List<int> _made = [];

    private ChoiceSource(SeededRandom random, IReadOnlyList<int>? given)
    {
        _random = random;
        _given = given;
        Temper = Temper.From(random);
    }

    /// <summary>Gets what was chosen so far.</summary>
    internal IReadOnlyList<int> Made => _made;

    /// <summary>Gets how this history likes to choose while exploring.</summary>
    internal Temper Temper { get; }

    internal static ChoiceSource Exploring(long seed) => new(new SeededRandom(unchecked((ulong)seed)), given: null);

    internal static ChoiceSource Replaying(IReadOnlyList<int> choices) => new(new SeededRandom(0), choices);

    /// <summary>Chooses one of a number of things, all equally likely.</summary>
    internal int Choose(int count) => count <= 1 ? 0 : Make(count, _given is null ? _random.Next(count) : 0);

    /// <summary>Whether something out of the ordinary happens. Only the likelihood says whether there is a choice at all, not the temper.</summary>
    internal bool Happens(double likelihood, double temper = 1) =>
        likelihood > 0 && Make(2, _given is null && _random.NextDouble() < likelihood * temper ? 1 : 0) == 1;

    /// <summary>Chooses what to do next: one of the ready steps, oldest first, or after them to let time pass.</summary>
    internal int ChooseStep(int ready, bool mayWait)
    {
        var count = ready + (mayWait ? 1 : 0);
        if (count <= 1)
        {
            return 0;
        }

        var fresh = 0;
        if (_given is null && _random.NextDouble() >= Temper.Order)
        {
            fresh = mayWait && _random.NextDouble() < Temper.Waiting ? ready : _random.Next(ready);
        }

        return Make(count, fresh);
    }

    /// <summary>Chooses by likelihood: 0 for nothing, else the number of the one that happens, counting from 1.</summary>
    internal int ChooseAmong(ReadOnlySpan<double> likelihoods, double temper)
    {
        if (!likelihoods.ContainsAnyExcept(0))
        {
            return 0;
        }

        var fresh = 0;
        if (_given is null)
        {
            var at = _random.NextDouble();
            for (var i = 0; i < likelihoods.Length && fresh == 0; i++)
            {
                at -= likelihoods[i] * temper;
                fresh = at < 0 ? i + 1 : 0;
            }
        }

        return Make(likelihoods.Length + 1, fresh);
    }

    private int Make(int count, int fresh)
    {
        var choice = _given is null ? fresh : _made.Count < _given.Count ? Math.Min(_given[_made.Count], count - 1) : 0;
        _made.Add(choice);
        return choice;
    }
}
