using Coppice.Properties.Tests.Model;

namespace Coppice.Properties.Tests.Concurrent;

/// <summary>The check of concurrent calls finds what it has to find.</summary>
public sealed class LinearisationTests
{
    private static readonly TaskLineage None = TaskLineage.None;

    [Fact]
    public void Two_spawns_of_one_name_at_the_same_time_are_explained_when_one_was_refused() =>
        Assert.True(Linearisation.Exists(new(), [Spawn("bg_0", 1, 4), Refused(SpawnError.DuplicateName, 2, 3)]));

    [Fact]
    public void Two_spawns_of_one_name_are_not_explained_when_both_succeeded_or_both_were_refused()
    {
        Assert.False(Linearisation.Exists(new(), [Spawn("bg_0", 1, 4), Spawn("bg_1", 2, 3)]));
        Assert.False(Linearisation.Exists(new(), [Refused(SpawnError.DuplicateName, 1, 4), Refused(SpawnError.DuplicateName, 2, 3)]));
    }

    [Fact]
    public void What_returned_before_another_began_comes_before_it()
    {
        Assert.True(Linearisation.Exists(new(), [Get("bg_0", isThere: false, 1, 3), Spawn("bg_0", 2, 4)]));
        Assert.False(Linearisation.Exists(new(), [Spawn("bg_0", 1, 2), Get("bg_0", isThere: false, 3, 4)]));
        Assert.False(Linearisation.Exists(new(), [Get("bg_0", isThere: true, 1, 2), Spawn("bg_0", 3, 4)]));
    }

    [Fact]
    public void A_cancel_that_missed_a_child_is_not_explained()
    {
        var start = new ReferenceModel();
        start.Spawn(1, "bg_0", "t", null, None);
        var child = new TaskLineage { TaskId = "bg_0" };
        Observation Spawns(SpawnError? refusal) => new("spawn", 1, 4, model =>
        {
            var answer = model.Refuses("t", null, child);
            if (answer is null)
            {
                model.Spawn(1, "bg_1", "t", null, child);
            }

            return answer == refusal;
        });
        Observation Cancels(int reached) => new("cancel", 2, 3, model => model.Cancel(CancelScope.Tree, "bg_0") == reached);

        Assert.True(Linearisation.Exists(start, [Spawns(null), Cancels(2)]));
        Assert.True(Linearisation.Exists(start, [Spawns(SpawnError.ParentCancelled), Cancels(1)]));
        Assert.False(Linearisation.Exists(start, [Spawns(null), Cancels(1)]));
        Assert.False(Linearisation.Exists(start, [Spawns(SpawnError.ParentCancelled), Cancels(2)]));
    }

    private static Observation Spawn(string id, long began, long returned) => new("spawn", began, returned, model =>
    {
        var refusal = model.Refuses("t", "x", None);
        if (refusal is null)
        {
            model.Spawn(1, id, "t", "x", None);
        }

        return refusal is null;
    });

    private static Observation Refused(SpawnError error, long began, long returned) =>
        new("refused", began, returned, model => model.Refuses("t", "x", None) == error);

    private static Observation Get(string id, bool isThere, long began, long returned) =>
        new("get", began, returned, model => model.Get(id) is not null == isThere);
}
