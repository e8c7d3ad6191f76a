using System.Globalization;
using System.Text.Json;
using Coppice.StoreContract;

namespace Coppice.Sqlite.Tests;

/// <summary>The store on disk and the store in memory give the same answers to the same batches, whatever they are.</summary>
public sealed class AgreementTests : IAsyncDisposable
{
    private static readonly int Steps = LongRun.Count(inTests: 400, inLongRun: 20_000);

    private static readonly string[] Threads = ["t1", "t2", "agent-a", "agent-b"];
    private static readonly string?[] Names = [null, null, "x", "y"];
    private static readonly string?[] Runs = [null, null, "r1", "r2"];

    private readonly TempFolder _folder = new();
    private readonly List<ITaskStore> _stores = [];
    private readonly List<HostFence> _hosts = [];
    private readonly List<Guid> _readers = [Guid.NewGuid()];
    private readonly List<string> _ids = ["bg_0", "bg_900", "elsewhere"];
    private readonly RandomWork _work;
    private Random _random = new(0);
    private long _batches;
    private long _lastExpiry;
    private DateTimeOffset _now = DateTimeOffset.UnixEpoch.AddDays(20_000);

    public AgreementTests() => _work = new RandomWork(max => _random.Next(max), () => _now);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        foreach (var store in _stores)
        {
            await store.DisposeAsync();
        }

        _folder.Dispose();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public async Task Random_batches_get_the_same_answers(int round)
    {
        var seed = Environment.GetEnvironmentVariable("COPPICE_SEED") is { Length: > 0 } given
            ? int.Parse(given, CultureInfo.InvariantCulture)
            : Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"round {round}, COPPICE_SEED={seed}");
        _random = new Random(seed);
        _stores.Add(new InMemoryTaskStore());
        _stores.Add(await SqliteTaskStore.OpenAsync(_folder.Store, cancellationToken: Stop));
        await JoinAsync();
        await JoinAsync();

        for (var step = 0; step < Steps; step++)
        {
            _now += TimeSpan.FromMilliseconds(_random.Next(3));
            await StepAsync(step);
        }

        await JoinAsync();
        await CompareStoresAsync();
        await PruneAsync();
        Assert.NotEqual(0, _work.Attempts);
    }

    private async Task StepAsync(int step)
    {
        switch (_random.Next(250))
        {
            case < 4:
                await JoinAsync();
                return;
            case 4:
                await ReopenAsync(step);
                return;
        }

        // Of the later ones more, because the earlier have left.
        var host = _random.Next(3) == 0 ? Pick(_hosts) : _hosts[^1];
        Mutation[] mutations = _random.Next(12) switch
        {
            0 => [AnAdd(), ARoot(), ARoot()],
            1 or 2 or 3 => [_work.AClaim(AReader)],
            4 or 5 => [_work.AnAttemptsChange()],
            _ => [AMutation()],
        };
        var answers = await CommitAsync(host, mutations, step);
        foreach (var answer in answers)
        {
            _ids.AddRange(answer is TaskAdded added ? [added.TaskId] : []);
            _work.Hear(answer);
        }

        if (step % 20 == 0)
        {
            await CompareMailAsync(Pick(Threads), step);
            await CompareWorkAsync(step);
        }
    }

    private Mutation AMessageChange() => _random.Next(9) switch
    {
        0 => new PostMessage(Pick(Threads), new ThreadMessage("m", "t", "a", "post")),
        1 or 2 or 3 => new PostMessage(Pick(Threads), AMessage()) { KeepIdFor = TimeSpan.FromMinutes(_random.Next(3)), MaxUnread = _random.Next(1, 30) },
        4 => new PostToOutbox(Pick(Threads), AMessage(), TimeSpan.FromMinutes(_random.Next(3))),
        5 => new ClaimOutbox(_random.Next(1, 3), 3, 100),
        6 => new SettleOutgoing(_random.Next(1, 20), _random.Next(1, 4), (AttemptEnd)_random.Next(4)) { Reason = "it failed" },
        7 => new ExpireMessages(1000, 20),
        _ => _random.Next(4) == 0
            ? new ClearFailedMessages(Pick(Threads), null)
            : new ReplayFailedMessages(Pick(Threads), null, TimeSpan.FromMinutes(1), null, 20),
    };

    private ThreadMessage AMessage() => new("m" + _random.Next(20), Pick(Threads), "a", "post")
    {
        // No two alike: which of them goes first is a store's own affair.
        ExpiresAt = _random.Next(2) == 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds(_lastExpiry = Math.Max(_lastExpiry + 1, _now.ToUnixTimeMilliseconds() + 37)),
    };

    private Mutation AMutation() => _random.Next(18) switch
    {
        0 or 1 or 2 or 3 or 4 => AnAdd(),
        5 or 6 or 7 => AFinish(),
        8 => _random.Next(2) == 0
            ? new PostEvents(AnId(), _random.Next(4), Events(_random.Next(5)))
            : new PostEvents(_work.AnAttempt(out var claim), _random.Next(4), Events(_random.Next(5))) { Claim = claim },
        9 => new RequestCancel((CancelScope)_random.Next(4), Pick([AnId(), Pick(Threads), "r1", "r2"])),
        10 or 11 => new SendMessage(AnId(), new MessageSender(Pick(Threads), "someone"), "hello", _random.Next(1, 5)),
        12 => AMessageChange(),
        13 => new OpenMailbox(Pick(Threads), AReader()),
        14 => new CloseMailbox(Pick(Threads), Pick(_readers)),
        15 => new AcknowledgeMail(Pick(Threads), Pick(_readers), _random.Next(30)),
        16 => _random.Next(3) switch
        {
            0 => new MoveTask(AnId(), (TaskState)_random.Next(6)),
            1 => new CloseAgentInbox(AnId()),
            _ => new PostEvents(AnId(), 0, []),
        },
        _ => _random.Next(5) switch
        {
            4 => new PruneTasks(_now.AddMilliseconds(-_random.Next(Steps))),
            0 => new LeaveHost(),
            1 => new SettleHost(Pick(_hosts)),
            _ => ARestore(),
        },
    };

    private AddTask AnAdd()
    {
        var isAgent = _random.Next(4) == 0;
        return new AddTask
        {
            OwnerThreadId = Pick(Threads),
            Type = isAgent ? TaskTypes.SubAgent : TaskTypes.Task,
            Name = Pick(Names),
            Description = "d",
            Lineage = new TaskLineage { TaskId = _random.Next(3) == 0 ? AnId() : null, RunId = Pick(Runs) },
            MaxDepth = _random.Next(2, 6),
            AgentThreadId = isAgent ? Pick(["agent-a", "agent-b"]) : null,
            AgentReader = isAgent ? AReader() : default,
            Work = _random.Next(2) == 0 ? _work.New(isAgent) : null,
        };
    }

    // Whether one of a batch may be the parent of the next is a store's own affair.
    private AddTask ARoot() => AnAdd() with { Lineage = new TaskLineage { RunId = Pick(Runs) } };

    private FinishTask AFinish()
    {
        var state = (TaskState)_random.Next(_random.Next(10) == 0 ? 0 : 3, 6);
        using var result = JsonDocument.Parse("""{"a":1.0}""");
        var claim = 0L;
        return new FinishTask(_random.Next(2) == 0 ? AnId() : _work.AnAttempt(out claim), state)
        {
            Claim = claim,
            Error = state == TaskState.Failed ? "boom" : null,
            Result = state == TaskState.Completed && _random.Next(2) == 0 ? result.RootElement.Clone() : null,
            FirstEvent = _random.Next(4),
            Events = Events(_random.Next(5)),
            CancelledBy = _random.Next(4) == 0 ? "user" : null,
        };
    }

    private RestoreTasks ARestore()
    {
        var tasks = Enumerable.Range(0, _random.Next(4)).Select(_ => new TaskSnapshot
        {
            TaskId = _random.Next(3) == 0 ? $"bg_{_ids.Count + _random.Next(5)}" : $"other-{_random.Next(20)}",
            State = (TaskState)_random.Next(6),
            Name = Pick(Names),
            CreatedAt = _now.AddMilliseconds(-_random.Next(5)),
            CompletedAt = _random.Next(2) == 0 ? _now : null,
            CancelRequestedAt = _random.Next(5) == 0 ? _now : null,
            Work = _random.Next(2) == 0 ? _work.Restored() : null,
            Lineage = new TaskLineage { TaskId = _random.Next(2) == 0 ? Pick([AnId(), $"other-{_random.Next(20)}"]) : null, RunId = Pick(Runs) },
        }).ToList();
        _ids.AddRange(tasks.Select(task => task.TaskId));
        return new RestoreTasks(Pick(Threads), tasks);
    }

    private List<CustomTaskEvent> Events(int count)
    {
        using var payload = JsonDocument.Parse(_random.Next(100).ToString(CultureInfo.InvariantCulture));
        return [.. Enumerable.Range(0, count).Select(_ => new CustomTaskEvent("bg_0", "progress", payload.RootElement.Clone()))];
    }

    private Guid AReader()
    {
        _readers.Add(Guid.NewGuid());
        return _readers[^1];
    }

    // Of the later ones more, because the earlier have ended.
    private string AnId() => _random.Next(3) == 0 ? Pick(_ids) : _ids[^_random.Next(1, Math.Min(_ids.Count, 8) + 1)];

    private T Pick<T>(IReadOnlyList<T> values) => values[_random.Next(values.Count)];

    private async Task JoinAsync()
    {
        var answers = await CommitAsync(HostFence.None, [new JoinHost("host")], -1);
        _hosts.Add(((HostJoined)answers[0]).Fence);
    }

    /// <summary>What may be forgotten is worked out here, from the lineages of all tasks, which may have cycles.</summary>
    private async Task PruneAsync()
    {
        var endedBefore = _now.AddMilliseconds(-_random.Next(Steps));
        var tasks = await _stores[1].ListAsync(new TaskQuery(), null, 10_000, Stop);
        var byId = tasks.ToDictionary(task => task.TaskId);
        var kept = new HashSet<string>(StringComparer.Ordinal);
        foreach (var live in tasks.Where(task => !task.State.IsTerminal()))
        {
            for (var task = live; task is not null && kept.Add(task.TaskId);)
            {
                task = task.Lineage.TaskId is { } parent ? byId.GetValueOrDefault(parent) : null;
            }
        }

        await JoinAsync();
        var answers = await CommitAsync(_hosts[^1], [new PruneTasks(endedBefore)], Steps);

        var gone = tasks.Where(task => !kept.Contains(task.TaskId) && (task.CompletedAt ?? task.CreatedAt) < endedBefore).ToList();
        Assert.Equal(gone.Count, ((TasksPruned)answers[0]).Count);
        Assert.Equal(tasks.Except(gone), await _stores[1].ListAsync(new TaskQuery(), null, 10_000, Stop));
        await CompareStoresAsync();
    }

    private async Task<IReadOnlyList<MutationAnswer>> CommitAsync(HostFence host, Mutation[] mutations, int step)
    {
        var id = new BatchId(host.Epoch, ++_batches);
        var first = await _stores[0].CommitAsync(new MutationBatch(id, host, _now, mutations), Stop);
        var second = await _stores[1].CommitAsync(new MutationBatch(id, host, _now, mutations), Stop);
        var what = $"step {step}: {string.Join(" | ", mutations.AsEnumerable())}";
        Assert.True(first.Status == second.Status, $"{what}: {first.Status} and {second.Status}");
        if (first.Status == CommitStatus.Refused && mutations.Length > 1)
        {
            // Which of two that are after the same name is told so, is a store's own affair.
            return first.Answers;
        }

        Assert.True(
            first.Answers.Select(Comparable).SequenceEqual(second.Answers.Select(Comparable)),
            $"{what}: {string.Join(", ", first.Answers.Select(Comparable))} and {string.Join(", ", second.Answers.Select(Comparable))}");
        return first.Answers;
    }

    // In which order a cancel finds tasks is nobody's business.
    private static string Comparable(MutationAnswer answer) => answer switch
    {
        CancelReached reached => $"reached {string.Join(",", reached.TaskIds.Order(StringComparer.Ordinal))}",
        HostJoined joined => $"joined {joined.Fence.Epoch} {string.Join(",", joined.Orphans)} {string.Join(",", joined.Recovered)}",
        HostSettled settled => $"settled {string.Join(",", settled.Orphans)} {string.Join(",", settled.Recovered)}",
        WorkClaimed claimed => $"claimed {string.Join(" | ", claimed.Tasks)} {claimed.NextLook:O} {string.Join(",", claimed.UnknownKinds)} {claimed.Expired}",
        OutboxClaimed claimed => $"claimed {string.Join(",", claimed.Messages)} {claimed.NextDue:O} {claimed.Failed} {claimed.Dropped}",
        _ => answer.ToString(),
    };

    private async Task CompareMailAsync(string thread, int step)
    {
        var (first, second) = (_stores[0], _stores[1]);
        Assert.True(await first.CountUnreadEventsAsync(thread, Stop) == await second.CountUnreadEventsAsync(thread, Stop), $"step {step}: unread of {thread}");
        foreach (var reader in _readers.TakeLast(20))
        {
            var left = await first.ReadMailAsync(thread, reader, 0, 3, Stop);
            var right = await second.ReadMailAsync(thread, reader, 0, 3, Stop);
            Assert.Equal(left.IsReader, right.IsReader);
            Assert.Equal(left.Items, right.Items);
        }

        Assert.True(await first.CountUnreadEventsAsync(thread, Stop) == await second.CountUnreadEventsAsync(thread, Stop), $"step {step}: unread of {thread}, read");
    }

    /// <summary>Every host leaves, and the file is closed and opened again: it has to know on its own what the other store remembers.</summary>
    private async Task ReopenAsync(int step)
    {
        // Which lists of failed messages grew is not in the file.
        await CommitAsync(_hosts[^1], [new ExpireMessages(1000, 20)], step);
        foreach (var host in _hosts)
        {
            await CommitAsync(host, [new LeaveHost()], step);
        }

        await _stores[1].DisposeAsync();
        _stores[1] = await SqliteTaskStore.OpenAsync(_folder.Store, cancellationToken: Stop);
        await JoinAsync();
        await CompareStoresAsync();
    }

    private async Task CompareWorkAsync(int step)
    {
        var (first, second) = (_stores[0], _stores[1]);
        foreach (var query in new[] { new TaskQuery { Kind = "k1" }, new TaskQuery { OwnerThreadId = "t1", Kind = "k2" }, new TaskQuery { States = [TaskState.Pending] } })
        {
            var (left, right) = (await first.ListAsync(query, null, 10_000, Stop), await second.ListAsync(query, null, 10_000, Stop));
            Assert.True(left.SequenceEqual(right), $"step {step}: {left.Except(right).FirstOrDefault()} and {right.Except(left).FirstOrDefault()}");
        }

        foreach (var id in _work.LastAttempts)
        {
            Assert.Equal(await first.ReadStepsAsync(id, 1, 2, Stop), await second.ReadStepsAsync(id, 1, 2, Stop));
            Assert.Equal(await first.ReadStepsAsync(id, 0, 100, Stop), await second.ReadStepsAsync(id, 0, 100, Stop));
            Assert.Equal(await first.GetAsync(id, Stop), await second.GetAsync(id, Stop));
        }
    }

    private async Task CompareStoresAsync()
    {
        var (first, second) = (_stores[0], _stores[1]);
        Assert.Equal(await first.ListAsync(new TaskQuery(), null, 10_000, Stop), await second.ListAsync(new TaskQuery(), null, 10_000, Stop));
        Assert.Equal(first.MailDepth, second.MailDepth);
        Assert.Equal((await first.ListThreadsWithUnreadMailAsync(Stop)).Order(), (await second.ListThreadsWithUnreadMailAsync(Stop)).Order());
        foreach (var thread in Threads)
        {
            Assert.Equal(await first.HasLiveAsync(thread, Stop), await second.HasLiveAsync(thread, Stop));
            Assert.Equal(
                (await first.ListDeadLettersAsync(thread, Stop)).Select(letter => (letter.Sequence, letter.Event)),
                (await second.ListDeadLettersAsync(thread, Stop)).Select(letter => (letter.Sequence, letter.Event)));
            Assert.Equal(
                (await first.ListFailedMessagesAsync(thread, Stop)).Select(failed => failed with { Number = 0, Reason = "" }),
                (await second.ListFailedMessagesAsync(thread, Stop)).Select(failed => failed with { Number = 0, Reason = "" }));
        }

        foreach (var id in _ids.Distinct())
        {
            foreach (var name in new[] { "x", "y" })
            {
                var parent = new TaskLineage { TaskId = id };
                var (left, right) = (await first.FindLiveChildAsync(parent, name, Stop), await second.FindLiveChildAsync(parent, name, Stop));
                Assert.True(left is null == right is null, $"{name} below {id}: {left ?? "none"} and {right ?? "none"} ; {await second.GetAsync(left ?? right ?? "", Stop)}");
            }
        }
    }
}
