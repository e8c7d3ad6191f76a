using Coppice.Properties.Tests.Model;
using Coppice.Properties.Tests.Support;

namespace Coppice.Properties.Tests.Sequential;

/// <summary>Whatever the order of calls, the manager on either store answers as the model does.</summary>
public sealed class SequentialTests
{
    [Theory]
    [InlineData(StoreKind.InMemory, 300)]
    [InlineData(StoreKind.Sqlite, 60)]
    public void Every_sequence_of_calls_is_answered_as_by_the_model(StoreKind kind, int count) =>
        PropertyRun.ForAll($"sequences of calls on {kind}", Script.Arbitrary, count, size: 60, script => Comparison.RunAsync(kind, script));

    [Fact]
    public void A_model_that_is_wrong_is_found_out_by_a_few_steps()
    {
        var found = Assert.Throws<Disagreement>(() => PropertyRun.ForAll(
            "a wrong model", Script.Arbitrary, 300, size: 60, script => Comparison.RunAsync(StoreKind.InMemory, script, new ReferenceModel { KeepsNames = true })));

        TestContext.Current.TestOutputHelper?.WriteLine(found.Message);
        Assert.Contains("the refusal:\n  the model DuplicateName\n  the store", found.Message, StringComparison.Ordinal);
        var story = found.Message.Split("\nafter\n")[1].Split('\n');
        Assert.InRange(story.Length, 3, 5); // a host, a task with a name and its end, or one from a snapshot, and another of that name
    }
}
