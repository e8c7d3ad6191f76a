namespace Coppice.Samples.ResearchTeam;

/// <summary>What the command line asks for.</summary>
/// <param name="Question">The question that the team works on.</param>
/// <param name="StorePath">The file of the tasks; a temporary one that is deleted at the end when it is left out.</param>
internal sealed record SampleOptions(string Question, string? StorePath)
{
    internal const string DefaultQuestion = "Why do bridges fall down?";

    internal const string Help =
        $"""
        A coordinator and three sub-agents answer a question.

        Usage: ResearchTeam [--question TEXT] [--store PATH]

          --question TEXT  the question; "{DefaultQuestion}" when it is left out
          --store PATH     keep the tasks in this SQLite file; without it they go to a temporary one
          --help           this

        The models are scripted and need no network, unless OPENAI_MODEL names a real one:
          OPENAI_MODEL     the model, for example gpt-5-mini
          OPENAI_BASE_URL  the endpoint; https://api.openai.com/v1 when it is left out
          OPENAI_API_KEY   the key; a local endpoint may need none
        """;

    /// <summary>Reads a command line.</summary>
    /// <returns>The options; <see langword="null"/> when only help is wanted.</returns>
    /// <exception cref="UsageException">It cannot be understood.</exception>
    internal static SampleOptions? Parse(IReadOnlyList<string> arguments)
    {
        var options = new SampleOptions(DefaultQuestion, null);
        for (var i = 0; i < arguments.Count; i++)
        {
            switch (arguments[i])
            {
                case "--help" or "-h":
                    return null;
                case "--question":
                    options = options with { Question = ValueAfter(arguments, i++) };
                    break;
                case "--store":
                    options = options with { StorePath = ValueAfter(arguments, i++) };
                    break;
                case var unknown:
                    throw new UsageException($"There is no option '{unknown}'. --help lists them.");
            }
        }

        return options;
    }

    private static string ValueAfter(IReadOnlyList<string> arguments, int option) =>
        option + 1 < arguments.Count && !string.IsNullOrWhiteSpace(arguments[option + 1])
            ? arguments[option + 1]
            : throw new UsageException($"{arguments[option]} needs a value.");
}
