using Coppice.PostgreSql.Tests.Support;

namespace Coppice.PostgreSql.Tests.Reading;

/// <summary>Lists agree with <see cref="TaskQuery.Matches"/>, run in the order of <see cref="TaskCursor"/>, and go on where they stopped.</summary>
public sealed class ListTests
{
    private static readonly string[] Threads = ["t1", "t2", "T1", "t' 😀"];
    private static readonly string?[] Names = [null, "worker", "Worker", "50%_off", "ünï", "a\\b"];
    private static readonly string[] Types = ["task", "crawl", "Crawl"];
    private static readonly string?[] Runs = [null, "r1", "R1", "r'2"];
    private static readonly string?[] Kinds = [null, null, "k1", "K1"];
    private static readonly string[] Descriptions = ["", "fetch Pages", "50% _done_ [x]", "ÜNÏ straße", "C:\\path*?", "😀 \"it's\"", "Σίσυφος", "ıIiİ"];
    private static readonly string?[] Errors = [null, "Boom!", "b\\oom"];
    private static readonly string[] Texts =
        ["page", "PAGE", "%", "_", "[x]", "\\", "*", "bg_1", "BG_1", "BOOM", "ÜNÏ", "ünï", "STRASSE", "straße", "worker", "", "'", "\"", "😀", "ΣΊΣΥΦΟΣ", "ı", "i", "É", "\0", "b\\O"];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Lists_agree_with_the_querys_own_judgement_whatever_is_asked()
    {
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        await using var store = await ReadFixture.CreateAsync();
        var all = new List<TaskSnapshot>();
        for (var i = 0; i < 120; i++)
        {
            all.Add(RandomTask(random, i, all));
            await store.AddAsync(all[^1]);
        }

        all.Sort(static (left, right) => TaskCursor.Compare(TaskCursor.After(left), TaskCursor.After(right)));
        Assert.Equal(all, await store.Reader.ListAsync(new TaskQuery(), null, 1_000, Stop));
        for (var i = 0; i < 400; i++)
        {
            var query = RandomQuery(random, all);
            var expected = all.Where(query.Matches).ToList();
            var found = await PagedAsync(store, query, random.Next(1, 30));
            Assert.True(
                expected.SequenceEqual(found),
                $"Seed {seed}: {query} of {string.Join(',', query.States ?? [])} should give {string.Join(' ', expected.Select(static task => task.TaskId))}, "
                + $"but gave {string.Join(' ', found.Select(static task => task.TaskId))}.");
        }
    }

    [Fact]
    public async Task Foreign_ids_come_after_numbered_ones_of_the_same_time_in_ordinal_order_page_by_page()
    {
        await using var store = await ReadFixture.CreateAsync();
        string[] ids = ["bg_9", "bg_10", "B", "a", "b", "bg_007", "bg_9007199254740993", "é", "😀", "\uE000", "\uFFFD"];
        foreach (var id in ids.Reverse())
        {
            await store.AddAsync(id, id == "a" ? TaskState.Completed : TaskState.Running);
        }

        foreach (var limit in new[] { 1, 2, 3, 100 })
        {
            Assert.Equal(ids, (await PagedAsync(store, new TaskQuery(), limit)).Select(static task => task.TaskId));
            Assert.Equal(ids, (await PagedAsync(store, new TaskQuery { OwnerThreadId = "t1" }, limit)).Select(static task => task.TaskId));
            Assert.Equal(
                ids.Where(static id => id != "a"),
                (await PagedAsync(store, new TaskQuery { States = [TaskState.Running] }, limit)).Select(static task => task.TaskId));
        }
    }

    [Fact]
    public async Task A_cursor_may_stand_where_no_task_is()
    {
        await using var store = await ReadFixture.CreateAsync();
        await store.AddAsync("bg_5");
        await store.AddAsync("m");
        var noon = ReadFixture.Noon;

        Assert.Equal(["bg_5", "m"], await AfterAsync(store, new TaskCursor(noon, "bg_4")));
        Assert.Equal(["m"], await AfterAsync(store, new TaskCursor(noon, "bg_6")));
        Assert.Equal(["m"], await AfterAsync(store, new TaskCursor(noon, "")));
        Assert.Equal(["m"], await AfterAsync(store, new TaskCursor(noon, "l'\0\uD83D")));
        Assert.Empty(await AfterAsync(store, new TaskCursor(noon, "n")));
        Assert.Equal(["bg_5", "m"], await AfterAsync(store, new TaskCursor(noon.AddTicks(-1), "z")));
        Assert.Empty(await AfterAsync(store, new TaskCursor(noon.AddTicks(1), "bg_0")));
        Assert.Equal(["bg_5", "m"], await AfterAsync(store, new TaskCursor(DateTimeOffset.MinValue, "bg_0")));
        Assert.Empty(await AfterAsync(store, new TaskCursor(DateTimeOffset.MaxValue, "bg_0")));
    }

    [Fact]
    public async Task A_list_has_no_more_than_it_was_asked_for_and_none_of_no_state()
    {
        await using var store = await ReadFixture.CreateAsync();
        for (var i = 0; i < 5; i++)
        {
            await store.AddAsync($"bg_{i}");
        }

        Assert.Equal(3, (await store.Reader.ListAsync(new TaskQuery(), null, 3, Stop)).Count);
        Assert.Equal(5, (await store.Reader.ListAsync(new TaskQuery(), null, int.MaxValue, Stop)).Count);
        Assert.Empty(await store.Reader.ListAsync(new TaskQuery { States = [] }, null, 3, Stop));
        Assert.Empty(await store.Reader.ListAsync(new TaskQuery { States = [(TaskState)70_000] }, null, 3, Stop));
    }

    private static async Task<IEnumerable<string>> AfterAsync(ReadFixture store, TaskCursor cursor) =>
        (await store.Reader.ListAsync(new TaskQuery(), cursor, 100, Stop)).Select(static task => task.TaskId);

    private static TaskSnapshot RandomTask(Random random, int i, List<TaskSnapshot> before)
    {
        var state = (TaskState)random.Next(6);
        return new TaskSnapshot
        {
            TaskId = random.Next(4) == 0 ? $"{(char)('A' + random.Next(60))}é{i}" : $"bg_{i * 7 % 121}",
            OwnerThreadId = Pick(random, Threads),
            Type = Pick(random, Types),
            Name = state.IsTerminal() ? Pick(random, Names) : random.Next(2) == 0 ? $"{Pick(random, Names)}{i}" : null,
            Description = Pick(random, Descriptions),
            Error = state == TaskState.Failed ? Pick(random, Errors) : null,
            State = state,
            CreatedAt = ReadFixture.Noon.AddMilliseconds(random.Next(20)),
            CompletedAt = state.IsTerminal() ? ReadFixture.Noon.AddSeconds(1) : null,
            Work = Pick(random, Kinds) is { } kind ? new TaskWork { Kind = kind, Input = TaskRow.ReadJson("1") } : null,
            Lineage = new TaskLineage { RunId = Pick(random, Runs), TaskId = before.Count > 0 && random.Next(2) == 0 ? Pick(random, before).TaskId : null },
        };
    }

    private static TaskQuery RandomQuery(Random random, List<TaskSnapshot> all)
    {
        var query = new TaskQuery();
        query = Maybe(random) ? query with { OwnerThreadId = Pick(random, Threads) } : query;
        query = Maybe(random) ? query with { Type = Pick(random, Types) } : query;
        query = Maybe(random) ? query with { Name = Pick(random, Names) } : query;
        query = Maybe(random) ? query with { Kind = Pick(random, Kinds) } : query;
        query = Maybe(random) ? query with { RunId = Pick(random, Runs) } : query;
        query = Maybe(random) ? query with { ParentTaskId = Pick(random, all).TaskId } : query;
        query = Maybe(random) ? query with { CreatedFrom = Around(random) } : query;
        query = Maybe(random) ? query with { CreatedBefore = Around(random).ToOffset(TimeSpan.FromHours(2)) } : query;
        query = Maybe(random) ? query with { Text = Pick(random, Texts) } : query;
        return random.Next(3) switch
        {
            0 => query with { States = [.. Enum.GetValues<TaskState>().Where(_ => random.Next(2) == 0)] },
            1 => query with { States = [.. Enum.GetValues<TaskState>().Where(state => !state.IsTerminal() && random.Next(3) > 0)] },
            _ => query,
        };
    }

    private static DateTimeOffset Around(Random random) => ReadFixture.Noon.AddMilliseconds(random.Next(20)).AddTicks(random.Next(-1, 2));

    private static bool Maybe(Random random) => random.Next(5) == 0;

    private static T Pick<T>(Random random, IReadOnlyList<T> from) => from[random.Next(from.Count)];

    private static async Task<List<TaskSnapshot>> PagedAsync(ReadFixture store, TaskQuery query, int limit)
    {
        var found = new List<TaskSnapshot>();
        for (TaskCursor? after = null; ;)
        {
            var page = await store.Reader.ListAsync(query, after, limit, Stop);
            Assert.InRange(page.Count, 0, limit);
            found.AddRange(page);
            if (page.Count < limit)
            {
                return found;
            }

            after = TaskCursor.After(page[^1]);
        }
    }
}
