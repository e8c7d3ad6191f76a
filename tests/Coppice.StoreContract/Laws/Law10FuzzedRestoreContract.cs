using System.Text;
using System.Text.Json;

namespace Coppice.StoreContract;

/// <summary>Law 10, with snapshots as a user reads them: JSON from somewhere else, damaged in every way that still reads.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class Law10FuzzedRestoreContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    private const string Orphaned = "task orphaned: runtime restarted while running";
    private const int SnapshotsOfOneStore = 25;

    private static readonly string[] Examples =
    [
        """{"task_id":"bg_7","owner_thread_id":"thread-1","task_type":"crawl","name":"researcher","description":"fetch pages","status":"completed","result":{"pages":[3,{"a":1e2}]},"created_at_ms":1760000000000,"completed_at_ms":1760000000950,"cancel_requested_at_ms":1760000000500,"cancelled_by":"tree:bg_3","parent_context":{"task_id":"bg_3","run_id":"run-1","call_id":"call-9","agent_id":"planner"}}""",
        """{"task_id":"bg_3","owner_thread_id":"thread-1","task_type":"sub_agent","status":"running","created_at_ms":1760000000000,"parent_context":{"task_id":"bg_7"}}""",
        """{"task_id":"bg_5","status":"failed","error":"boom","created_at_ms":5,"completed_at_ms":3,"parent_context":{"task_id":"bg_5","run_id":"run-1"}}""",
        """{"task_id":"elsewhere","status":"cancelled","cancelled_by":"user"}""",
        """{"task_id":"bg_9","status":"pending","name":"researcher"}""",
    ];

    [Fact]
    public async Task A_snapshot_from_damaged_json_is_restored_whole_or_refused_whole_saying_which_task_and_why()
    {
        var random = new Random(RandomSeed.Draw());
        var fuzzer = new JsonFuzzer(random);
        var snapshots = LongRun.Count(inTests: 50, inLongRun: 2_000, "COPPICE_DOCUMENTS");
        int restored = 0, refused = 0, tasks = 0;
        for (var i = 0; i < snapshots; i++)
        {
            if (i % SnapshotsOfOneStore == 0)
            {
                await ReopenEmptyAsync();
            }

            var (json, snapshot) = Snapshot(fuzzer, random);
            var error = await RestoreAsync(snapshot, $"owner-{i}", $"Snapshot {i + 1}: {json}");
            restored += error is null ? 1 : 0;
            refused += error is null ? 0 : 1;
            tasks += error is null ? snapshot.Count : 0;
            if (i % SnapshotsOfOneStore == SnapshotsOfOneStore - 1)
            {
                await AssertStoreWorksAsync();
            }

            if (i % 200 == 199)
            {
                LongRun.Progress($"{i + 1} of {snapshots} snapshots");
            }
        }

        LongRun.Report($"{Store.GetType().Name}: {snapshots} snapshots from damaged JSON: {restored} restored whole ({tasks} tasks), {refused} refused whole");
        Assert.True(restored > 0 && refused > 0, "All or nothing was damaged: the test shows nothing.");
    }

    private BackgroundTaskManager _manager = null!;
    private ITaskStore _current = null!;
    private Dictionary<string, TaskSnapshot> _known = [];
    private long _highest = -1;

    private async Task ReopenEmptyAsync()
    {
        if (_manager is not null)
        {
            await _manager.DisposeAsync();
            await _current.DisposeAsync();
        }

        _current = _manager is null ? Store : await Fixture.CreateAsync();
        _manager = await StartAsync(store: _current);
        _known = [];
        _highest = -1;
    }

    private static (string Json, List<TaskSnapshot> Tasks) Snapshot(JsonFuzzer fuzzer, Random random)
    {
        var json = $"[{string.Join(',', Enumerable.Range(0, random.Next(1, 7)).Select(_ => ReadableTask(fuzzer)))}]";
        return (json, JsonSerializer.Deserialize<List<TaskSnapshot>>(json)!);
    }

    private static string ReadableTask(JsonFuzzer fuzzer)
    {
        while (true)
        {
            var json = fuzzer.WellFormed(Examples, changes: 4);
            try
            {
                // As it will stand in a list, one level deeper.
                _ = JsonSerializer.Deserialize<List<TaskSnapshot>>($"[{json}]");
                return json;
            }
            catch (JsonException)
            {
                // A reader's error, which is another test's business.
            }
        }
    }

    /// <summary>Restores a snapshot, and holds what the store has then against it.</summary>
    /// <returns>The error that refused it.</returns>
    private async Task<ArgumentException?> RestoreAsync(List<TaskSnapshot> snapshot, string owner, string what)
    {
        RestoreResult result;
        try
        {
            result = await _manager.RestoreAsync(owner, snapshot, Stop).Within();
        }
        catch (ArgumentException error)
        {
            Assert.True(error.Message.Contains("Task number ", StringComparison.Ordinal), $"It says not where: {error.Message} {what}");
            Assert.Empty(await _manager.ListAsync(owner, Stop).Within());
            Assert.Equal(_known.Count, (await ListAsync(_manager.ExportAsync(null, Stop))).Count);
            return error;
        }

        var added = snapshot.Where(static task => task is not null).DistinctBy(static task => task.TaskId).Where(task => !_known.ContainsKey(task.TaskId)).ToList();
        var orphans = added.Where(static task => !task.State.IsTerminal()).Select(static task => task.TaskId).ToHashSet();
        Assert.True(new RestoreResult(added.Count, snapshot.Count - added.Count, orphans.Count) == result, $"{result} of {what}");

        var listed = (await _manager.ListAsync(owner, Stop).Within()).ToDictionary(static task => task.TaskId);
        Assert.Equal(added.Select(static task => task.TaskId).Order(StringComparer.Ordinal), listed.Keys.Order(StringComparer.Ordinal));
        foreach (var task in added)
        {
            AssertSame(task, listed[task.TaskId], owner, what);
            Assert.Equal(listed[task.TaskId], await _manager.GetAsync(task.TaskId, Stop).Within());
            Assert.Equal(listed[task.TaskId], JsonSerializer.Deserialize<TaskSnapshot>(JsonSerializer.Serialize(listed[task.TaskId])));
            _known.Add(task.TaskId, listed[task.TaskId]);
            _highest = TaskIds.TryParse(task.TaskId, out var number) ? Math.Max(_highest, number) : _highest;
        }

        await using var inbox = await _manager.OpenInboxAsync(owner, Stop).AsTask().Within();
        var mail = await inbox.EventsAsync();
        Assert.Equal(orphans.Count, mail.Count);
        Assert.Equal(orphans, mail.Select(static failed => Assert.IsType<TaskFailed>(failed).TaskId).ToHashSet());
        Assert.False(await _manager.HasRunningAsync(owner, Stop).Within());
        return null;
    }

    private static void AssertSame(TaskSnapshot given, TaskSnapshot stored, string owner, string what)
    {
        var isOrphan = !given.State.IsTerminal();
        var expected = given with
        {
            OwnerThreadId = owner,
            Lineage = given.Lineage.IsEmpty ? TaskLineage.None : stored.Lineage,
            State = isOrphan ? TaskState.Failed : given.State,
            Error = isOrphan ? Orphaned : given.State == TaskState.Failed ? Cut(given.Error ?? "", stored.Error) : null,
            Result = isOrphan ? null : given.Result,
            CompletedAt = isOrphan ? stored.CompletedAt : given.CompletedAt,
            Description = Clean(given.Description),
            CancelledBy = given.CancelledBy is null ? null : Cut(given.CancelledBy, stored.CancelledBy),
        };
        Assert.True(expected == stored, $"Stored as {JsonSerializer.Serialize(stored)}: {what}");
        Assert.True(!isOrphan || stored.CompletedAt is not null, what);
        Assert.True(Same(given.Lineage.TaskId, stored.Lineage.TaskId) && Same(given.Lineage.RunId, stored.Lineage.RunId), what);
        Assert.True(Same(given.Lineage.CallId, stored.Lineage.CallId) && Same(given.Lineage.AgentId, stored.Lineage.AgentId), what);

        static bool Same(string? asked, string? kept) => (string.IsNullOrEmpty(asked) ? null : asked) == kept;
    }

    private static string Clean(string text) => text.Replace('\0', '\uFFFD');

    /// <summary>The text as it is kept: the whole of it, or a beginning at the edge of the limit.</summary>
    private static string Cut(string text, string? stored)
    {
        text = Clean(text);
        var limit = new BackgroundTaskOptions().MaxErrorBytes;
        var isCut = Encoding.UTF8.GetByteCount(text) > limit && stored is not null && text.StartsWith(stored, StringComparison.Ordinal)
            && Encoding.UTF8.GetByteCount(stored) is var bytes && bytes <= limit && bytes > limit - 4;
        return isCut ? stored! : text;
    }

    /// <summary>After all that, it is a store like any other: ids go on past every one seen, trees end, and old tasks can be forgotten.</summary>
    private async Task AssertStoreWorksAsync()
    {
        var exported = await ListAsync(_manager.ExportAsync(null, Stop));
        Assert.Equal(_known.Values.OrderBy(static task => task.TaskId, StringComparer.Ordinal), exported.OrderBy(static task => task.TaskId, StringComparer.Ordinal));

        var parents = exported.Take(5).Select(static task => (string?)task.TaskId).Prepend(null).ToList();
        foreach (var parent in parents)
        {
            var options = new SpawnOptions { Lineage = new TaskLineage { TaskId = parent } };
            try
            {
                var next = await _manager.SpawnAsync("after", Bodies.Park, options, Stop).Within();
                Assert.False(_known.ContainsKey(next), $"{next} was given twice.");
                Assert.True(long.Parse(next[TaskIds.Prefix.Length..], System.Globalization.CultureInfo.InvariantCulture) > _highest, $"{next} is not past bg_{_highest}.");
                Assert.Equal(next, await _manager.FindLiveChildAsync(new TaskLineage { TaskId = parent ?? next }, next, Stop).Within() ?? (parent is null ? next : null));
            }
            catch (SpawnException refused)
            {
                Assert.True(parent is not null && refused.Error is SpawnError.ParentCancelled or SpawnError.TooDeep, refused.Message);
            }
        }

        foreach (var parent in parents.OfType<string>())
        {
            Assert.False(await _manager.CancelAsync(parent, Stop).Within());
            await _manager.CancelTreeAsync(parent, Stop).Within();
        }

        await _manager.CancelRunAsync("run-1", Stop).Within();
        await _manager.CancelThreadAsync("after", Stop).Within();
        foreach (var task in await _manager.ListAsync("after", Stop).Within())
        {
            Assert.Equal(TaskState.Cancelled, (await _manager.WaitAsync(task.TaskId, Stop).Within()).State);
        }

        var stored = exported.Count + (await _manager.ListAsync("after", Stop).Within()).Count;
        var forgotten = await _manager.PruneAsync(TimeSpan.Zero, Stop).Within();
        var left = await ListAsync(_manager.ExportAsync(null, Stop));
        Assert.Equal(stored, forgotten + left.Count);
    }

    private static async Task<List<TaskSnapshot>> ListAsync(IAsyncEnumerable<TaskSnapshot> tasks)
    {
        var list = new List<TaskSnapshot>();
        await foreach (var task in tasks)
        {
            list.Add(task);
        }

        return list;
    }
}
