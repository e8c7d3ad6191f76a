using Coppice.Properties.Tests.Model;

namespace Coppice.Properties.Tests.Concurrent;

/// <summary>A call that was made: when it began and returned, what came of it, and whether the model explains that.</summary>
/// <param name="What">The call and its answer, to be shown.</param>
/// <param name="Began">Its place among all beginnings and returns.</param>
/// <param name="Returned">Its place among all beginnings and returns.</param>
/// <param name="Explains">Takes the step on the model, and tells whether the model answers the same.</param>
/// <param name="IsRead">Whether it changes nothing.</param>
internal record Observation(string What, long Began, long Returned, Func<ReferenceModel, bool> Explains, bool IsRead = false)
{
    internal bool Overlaps(Observation other) => Began < other.Returned && other.Began < Returned;
}

/// <summary>
/// Whether calls that were made at the same time can be explained by some order of them, one after another, that keeps those in order of
/// which one returned before the other began.
/// </summary>
internal static class Linearisation
{
    internal static bool Exists(ReferenceModel start, IReadOnlyList<Observation> observations)
    {
        var dead = new HashSet<(long, string)>();
        return Search(start, 0);

        bool Search(ReferenceModel model, long done)
        {
            if (done == (1L << observations.Count) - 1)
            {
                return true;
            }

            if (!dead.Add((done, model.Fingerprint())))
            {
                return false;
            }

            var open = Enumerable.Range(0, observations.Count).Where(i => (done & (1L << i)) == 0).ToList();
            var firstReturn = open.Min(i => observations[i].Returned);
            var first = open.Where(i => observations[i].Began < firstReturn).ToList();

            // A read that is explained here may as well be taken here: it changes nothing for the others.
            foreach (var i in first.Where(i => observations[i].IsRead && observations[i].Explains(model)))
            {
                return Search(model, done | (1L << i));
            }

            foreach (var i in first.Where(i => !observations[i].IsRead))
            {
                var next = model.Copy();
                if (observations[i].Explains(next) && Search(next, done | (1L << i)))
                {
                    return true;
                }
            }

            return false;
        }
    }
}
