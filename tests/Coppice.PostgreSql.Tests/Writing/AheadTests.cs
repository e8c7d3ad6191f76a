using System.Text.Json;
using Coppice.PostgreSql.Tests.Support;
using Npgsql;

namespace Coppice.PostgreSql.Tests.Writing;

/// <summary>What a host decides by what it knows has to be what it would have decided by reading, whatever others did meanwhile.</summary>
public sealed class AheadTests : IAsyncLifetime
{
    private GroupFixture _here = null!;
    private GroupFixture _elsewhere = null!;

    public async ValueTask InitializeAsync()
    {
        _here = await GroupFixture.CreateAsync();
        _elsewhere = await _here.BesideAsync();
        _here.Ahead = _elsewhere.Ahead = true;

        // From here on this host knows its thread, and who reads its mail.
        _here.Write(new FinishTask(_here.Add(Task("t1")), TaskState.Completed));
        _here.Add(Task("t1"));
        Assert.True(_here.WasAhead);
    }

    public async ValueTask DisposeAsync()
    {
        await _elsewhere.DisposeAsync();
        await _here.DisposeAsync();
    }

    [Fact]
    public void A_name_that_another_host_has_given_is_taken()
    {
        _elsewhere.Add(Task("t1") with { Name = "n" });

        Assert.Equal(new AddRefused(SpawnError.DuplicateName), _here.Write(Task("t1") with { Name = "n" }).Single().Answers[0]);
        Assert.False(_here.WasAhead);
    }

    [Fact]
    public async Task A_name_that_counts_as_free_is_refused_by_the_index_where_it_is_not()
    {
        // Written past the store, so that the version of the thread does not tell.
        await _here.ExecuteAsync("INSERT INTO {schema}.branches (owner_thread_id, n, name) SELECT owner_thread_id, 1000000, 'n' FROM {schema}.thread_ids WHERE id = 't1'");

        var refused = Assert.Throws<PostgresException>(() => _here.Write(Task("t1") with { Name = "n" }));

        Assert.Equal(("23505", "branches_by_name"), (refused.SqlState, refused.ConstraintName));
        Assert.Equal(0, await _here.CountAsync("tasks WHERE name = 'n'"));
    }

    [Fact]
    public async Task Mail_of_several_hosts_has_each_sequence_once()
    {
        var mine = Enumerable.Range(0, 10).Select(_ => _here.Add(Task("t1"))).ToList();
        var theirs = Enumerable.Range(0, 10).Select(_ => _elsewhere.Add(Task("t1"))).ToList();

        foreach (var (here, elsewhere) in mine.Zip(theirs))
        {
            Assert.IsType<TaskFinished>(_here.Write(new FinishTask(here, TaskState.Completed)).Single().Answers[0]);
            Assert.IsType<TaskFinished>(_elsewhere.Write(new FinishTask(elsewhere, TaskState.Completed)).Single().Answers[0]);
        }

        Assert.Equal(21, await _here.CountAsync("mail"));
        Assert.Equal(1, await _here.CountAsync("threads WHERE last_seq = 21 AND terminals = 21"));
    }

    [Fact]
    public void A_cancel_of_another_host_is_seen()
    {
        var parent = _here.Add(Task("t1"));
        _elsewhere.Write(new RequestCancel(CancelScope.Task, parent));

        Assert.Equal(
            new AddRefused(SpawnError.ParentCancelled),
            _here.Write(Task("t1") with { Lineage = new TaskLineage { TaskId = parent } }).Single().Answers[0]);
    }

    [Fact]
    public void A_host_that_was_given_up_changes_nothing_any_more()
    {
        var task = _here.Add(Task("t1"));
        Assert.True(_here.WasAhead);
        _elsewhere.Write(new SettleHost(_here.Host));

        Assert.Equal(CommitStatus.Fenced, _here.Write(new FinishTask(task, TaskState.Completed)).Single().Status);
    }

    [Fact]
    public async Task A_host_that_has_joined_hears_of_what_comes_after()
    {
        await using var alone = await GroupFixture.CreateAsync();
        alone.Ahead = true;
        alone.Add(Task("t1"));
        alone.Add(Task("t1"));
        Assert.True(alone.WasAhead);
        Assert.Empty(alone.News);

        await using var other = await alone.BesideAsync();
        alone.Add(Task("t1"));

        Assert.False(alone.WasAhead);
        Assert.NotEmpty(alone.News);
        alone.Add(Task("t1"));
        Assert.True(alone.WasAhead);
        Assert.NotEmpty(alone.News);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_named_a_task_as_its_parent_before_there_was_one_hangs_on_it(bool isNamedBeforeItsBlock)
    {
        await using var group = await GroupFixture.CreateAsync();
        await using var other = await group.BesideAsync();
        other.Add(Task("t2"));
        group.Ahead = true;
        if (!isNamedBeforeItsBlock)
        {
            group.Write(new FinishTask(group.Add(Task("t1")), TaskState.Completed));
            group.Add(Task("t1"));
            Assert.True(group.WasAhead);
        }

        // A number that was given and not used is a gap, so more than the next one are named.
        var awaited = Enumerable.Range(isNamedBeforeItsBlock ? 1024 : 1026, 4).Select(static number => $"bg_{number}").ToList();
        awaited.ForEach(parent => other.Add(Task("t2") with { Lineage = new TaskLineage { TaskId = parent } }));

        var parent = group.Add(Task("t1"));
        Assert.Contains(parent, awaited);
        group.Write(new FinishTask(parent, TaskState.Completed));

        Assert.Equal(1, await group.CountAsync("branches b JOIN {schema}.branches c ON c.parent = b.n WHERE b.ended"));
    }

    [Fact]
    public async Task What_fails_only_as_it_commits_has_not_landed()
    {
        await _here.ExecuteAsync(
            """
            CREATE FUNCTION {schema}.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '53100'; END $$;
            CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON {schema}.tasks DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {schema}.refuse();
            """);
        var before = await _here.CountAsync("tasks");

        Assert.Equal("53100", Assert.Throws<PostgresException>(() => _here.Write(Task("t1"))).SqlState);
        Assert.Equal(before, await _here.CountAsync("tasks"));
    }

    [Fact]
    public async Task What_its_own_reader_has_taken_as_read_is_taken_in()
    {
        var reader = Guid.NewGuid();
        _here.Write(new OpenMailbox("t1", reader));
        var task = _here.Add(Task("t1"));
        Assert.True(_here.WasAhead);
        await _here.ExecuteAsync("UPDATE {schema}.threads SET version = version + 1, read_through = 1, unread_terminals = 0");
        var version = await _here.NumberAsync("SELECT version FROM {schema}.threads");

        _here.Take(new ReadMark(1, version, reader, 1, default));
        Assert.Equal(new EventsPosted(1), _here.Write(new PostEvents(task, 0, [new CustomTaskEvent(task, "e", JsonElement.Parse("1"))])).Single().Answers[0]);

        Assert.True(_here.WasAhead);
        Assert.Equal(1, await _here.CountAsync("threads WHERE read_through = 1 AND unread_customs = 1 AND unread_terminals = 0 AND last_seq = 2"));
    }

    [Fact]
    public void What_was_taken_as_read_elsewhere_is_read_anew()
    {
        var reader = Guid.NewGuid();
        _here.Write(new OpenMailbox("t1", reader));

        _here.Take(new ReadMark(1, 100, reader, 1, default));
        _here.Add(Task("t1"));

        Assert.True(_here.WasAhead);
    }

    [Fact]
    public void What_is_known_of_a_thread_outlives_what_is_refused_there()
    {
        _here.Add(Task("t1") with { Name = "n" });
        Assert.Equal(new AddRefused(SpawnError.DuplicateName), _here.Write(Task("t1") with { Name = "n" }).Single().Answers[0]);

        Assert.True(_here.WasAhead);
        _here.Add(Task("t1"));
        Assert.True(_here.WasAhead);
    }

    private static AddTask Task(string thread) => new() { OwnerThreadId = thread, Type = "t" };
}
