using Coppice.Properties.Tests.Support;

namespace Coppice.Properties.Tests.Concurrent;

/// <summary>Whatever callers on two hosts ask for at the same time, it is as if they had asked one after another.</summary>
public sealed class ConcurrentTests
{
    private const int RunsOfOne = 5;
    private const int RunsOfASmallerOne = 60;

    [Theory]
    [InlineData(StoreKind.InMemory, 250)]
    [InlineData(StoreKind.Sqlite, 40)]
    public void The_answers_to_concurrent_callers_are_those_of_some_order(StoreKind kind, int count)
    {
        var runs = kind == StoreKind.InMemory ? RunsOfOne : 1;
        PropertyRun.ForAll($"concurrent calls on {kind}", Workload.Arbitrary, count, size: 10, async workload =>
        {
            for (var run = 0; run < runs; run++)
            {
                try
                {
                    await Trial.RunAsync(kind, workload);
                }
                catch (Disagreement)
                {
                    // From here on it is made smaller, and what depends on timing needs more tries to show.
                    runs = RunsOfASmallerOne;
                    throw;
                }
            }
        });
    }
}
