using Coppice.PostgreSql.Tests.Support;

namespace Coppice.PostgreSql.Tests.Tables;

public sealed class StepRowsTests
{
    [Fact]
    public async Task The_name_and_the_key_of_a_step_may_be_as_long_as_an_id()
    {
        await using var fixture = await WorkFixture.CreateAsync();
        await fixture.AddThreadsAsync(1);
        fixture.One.Begin();
        var step = new TaskStep { Name = WorkFixture.LongText(1), Key = WorkFixture.LongText(2) };
        Assert.True(fixture.One.Steps.TryAdd(10, 0, step));

        Assert.True(fixture.One.Steps.Contains(10, step));
        Assert.False(fixture.One.Steps.Contains(10, step with { Key = step.Name }));
        fixture.One.Rollback();
    }

    [Fact]
    public async Task Steps_are_found_by_name_and_key_counted_and_forgotten_with_the_checkpoint()
    {
        await using var fixture = await WorkFixture.CreateAsync();
        await fixture.AddThreadsAsync(2);
        fixture.One.Begin();
        var head = fixture.One.AddWork(10, kind: 7);
        var step = new TaskStep { Name = "s", Key = "k", After = "b", IsFork = true, Result = WorkFixture.Json("[1.50]") };
        Assert.Equal(0, fixture.One.Steps.Count(10));
        Assert.True(fixture.One.Steps.TryAdd(10, 0, step));
        Assert.True(fixture.One.Steps.TryAdd(10, 1, new TaskStep { Name = "s", Error = "why" }));
        Assert.True(fixture.One.Steps.TryAdd(20, 0, new TaskStep { Name = "other" }));
        Assert.Null(fixture.One.Steps.Checkpoint(10));
        fixture.One.Steps.SetCheckpoint(10, WorkFixture.Json("1"));
        fixture.One.Steps.SetCheckpoint(10, WorkFixture.Json("{\"a\":\"\u00e4\"}"));
        fixture.One.Steps.SetCheckpoint(20, WorkFixture.Json("null"));
        fixture.One.Commit();

        fixture.Other.Begin();
        Assert.True(fixture.Other.Steps.Contains(10, step));
        Assert.Equal([1L], fixture.Other.Connection.Locked);
        Assert.False(fixture.Other.Steps.Contains(10, step with { Key = "K" }));
        Assert.Equal(2, fixture.Other.Steps.Count(10));
        Assert.Equal("{\"a\":\"\u00e4\"}", fixture.Other.Steps.Checkpoint(10)?.GetRawText());
        Assert.Equal("null", fixture.Other.Steps.Checkpoint(20)?.GetRawText());
        fixture.Other.Steps.SetCheckpoint(20, null);
        fixture.Other.Steps.Remove(head);
        Assert.Equal(2, fixture.Other.Steps.Count(10));
        fixture.Other.Steps.Remove(head with { HasSteps = true, HasCheckpoint = true });
        fixture.Other.Commit();

        Assert.Equal(1, await fixture.CountAsync("steps"));
        Assert.Equal(1, await fixture.CountAsync("steps WHERE n = 20 AND place = 0 AND NOT is_fork AND name = 'other' AND key = '' AND result IS NULL"));
        Assert.Equal(0, await fixture.CountAsync("checkpoints"));
    }
}
