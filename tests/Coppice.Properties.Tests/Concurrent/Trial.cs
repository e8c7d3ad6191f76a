using System.Collections.Concurrent;
using System.Text.Json;
using Coppice.Properties.Tests.Model;
using Coppice.Properties.Tests.Support;

namespace Coppice.Properties.Tests.Concurrent;

/// <summary>
/// Runs a workload on the real thing: two hosts on one store with a few tasks in it, each caller on a thread of its own. The clock stands
/// still, so only the order of calls matters.
/// </summary>
internal sealed class Trial : IAsyncDisposable
{
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(60);
    private static readonly string[] Threads = ["t1", "t2"];
    private const string Unknown = "other-1";

    private static readonly string?[] Names = ["x", "y", null];
    private static readonly string?[] Runs = [null, "r1"];

    private readonly FreshStore _fresh;
    private readonly ManualClock _clock = new();
    private readonly Arrivals _arrivals;
    private readonly IDisposable _subscription;
    private readonly ReferenceModel _start = new();
    private readonly List<BackgroundTaskManager> _hosts = [];
    private readonly ConcurrentDictionary<string, Puppet> _puppets = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<int, Inbox> _inboxes = new();
    private readonly List<string> _first = [];
    private readonly ConcurrentQueue<Observation> _observations = new();
    private readonly bool _readsAreWhole;
    private string _agent = "";
    private string _agentThread = "";
    private long _moment;
    private int _readers;
    private int _events;

    private Trial(FreshStore fresh, StoreKind kind, bool isWatched)
    {
        // SQLite reads from one state of the file. In memory each task of a list is read for itself, and a cancel marks one after another.
        _readsAreWhole = kind == StoreKind.Sqlite;
        _fresh = fresh;
        _arrivals = new Arrivals { WantsChanges = isWatched };
        _subscription = fresh.Store.Subscribe(_arrivals);
    }

    internal static async Task RunAsync(StoreKind kind, Workload workload)
    {
        // Whoever watches changes makes a store tell them in order, so commits wait for each other that else would not.
        var emits = workload.Callers.Any(calls => calls.Any(call => call.Kind == CallKind.Emit));
        await using var trial = new Trial(await FreshStore.OpenAsync(kind), kind, emits);
        await trial.SetUpAsync().WaitAsync(Guard);
        await Task.WhenAll(trial.StartCallers(workload)).WaitAsync(Guard);
        await trial.LookAtTheEndAsync().WaitAsync(Guard);
        var made = trial.Blurred();
        if (!Linearisation.Exists(trial._start, made))
        {
            throw new Disagreement($"no order of the calls explains the answers:\n{string.Join('\n', made.Select(each => $"  {each.Began}..{each.Returned} {each.What}"))}");
        }
    }

    /// <summary>What was observed. Who reads while a cancel goes from task to task may find some of them marked already.</summary>
    private List<Observation> Blurred()
    {
        var made = _observations.OrderBy(each => each.Began).ToList();
        var cancels = _readsAreWhole ? [] : made.Where(each => each.What.Contains(" cancels ", StringComparison.Ordinal)).ToList();
        return [.. made.Select(each => each is MarkedRead read && cancels.Exists(read.Overlaps) ? read.WithoutMarks() : each)];
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var host in _hosts)
        {
            await host.DisposeAsync();
        }

        _subscription.Dispose();
        await _fresh.DisposeAsync();
        foreach (var puppet in _puppets.Values)
        {
            puppet.End(_ => Task.FromResult(TaskOutcome.Cancelled));
        }
    }

    /// <summary>A root with a name and a run, a child on another thread, one that ended, an agent, one below a task that nobody knows, and a reader.</summary>
    private async Task SetUpAsync()
    {
        foreach (var host in new[] { 1, 2 })
        {
            _hosts.Add(await BackgroundTaskManager.StartAsync(_fresh.Store, ModelledHost.OptionsOn(_clock)));
            _start.StartHost(host);
        }

        _start.Now = _clock.GetUtcNow();
        var root = await AddAsync("t1", "x", new TaskLineage { RunId = "r1" });
        var child = await AddAsync("t2", null, new TaskLineage { TaskId = root });
        var ended = await AddAsync("t1", null, new TaskLineage { TaskId = root });
        _agent = await AddAsync("t1", null, TaskLineage.None, isAgent: true);
        _puppets[ended].End(_ => Task.FromResult(TaskOutcome.Success(1)));
        await _hosts[0].WaitAsync(ended);
        _start.Finish(ended, TaskOutcome.Success(1));
        var stranger = await AddAsync("t2", "y", new TaskLineage { TaskId = Unknown });
        _first.AddRange([root, child, ended, _agent, stranger]);
        _inboxes[++_readers] = await _hosts[0].OpenInboxAsync("t1");
        _start.Open(_readers, "t1", 1);
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        _start.Now = _clock.GetUtcNow();
    }

    private async Task<string> AddAsync(string thread, string? name, TaskLineage lineage, bool isAgent = false)
    {
        var puppet = new Puppet();
        var options = new SpawnOptions { Name = name, Lineage = lineage };
        var id = isAgent
            ? await _hosts[0].SpawnAgentAsync(thread, puppet.RunAsync, options)
            : await _hosts[0].SpawnAsync(thread, puppet.RunAsync, options);
        (string, int)? seat = null;
        if (await puppet.Started is AgentTaskContext agent)
        {
            _agentThread = agent.ThreadId;
            _inboxes[++_readers] = agent.Inbox;
            seat = (agent.ThreadId, _readers);
        }

        _puppets[id] = puppet;
        _start.Spawn(1, id, thread, name, lineage, seat);
        return id;
    }

    private IEnumerable<Task> StartCallers(Workload workload)
    {
        var barrier = new Barrier(workload.Callers.Count);
        return [.. workload.Callers.Select((calls, number) =>
        {
            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            new Thread(() =>
            {
                barrier.SignalAndWait(Guard);
                _ = CompleteAsync(done, new Caller(this, number).MakeAsync(calls));
            }) { IsBackground = true }.Start();
            return done.Task;
        })];
    }

    private static async Task CompleteAsync(TaskCompletionSource done, Task work)
    {
        try
        {
            await work;
            done.SetResult();
        }
        catch (Exception e)
        {
            done.SetException(e);
        }
    }

    /// <summary>What everybody finds once all have returned: the tasks, and the mail that is not acknowledged.</summary>
    private async Task LookAtTheEndAsync()
    {
        var look = new Caller(this, 0);
        await look.ObserveAsync("all tasks", async () =>
        {
            var tasks = await _fresh.Store.ListAsync(new TaskQuery(), null, int.MaxValue, default);
            return (Show(tasks), model => Show(model.List()));
        });
        foreach (var thread in new[] { "t1", "t2", _agentThread })
        {
            await look.ObserveAsync($"the mail of {thread}", async () =>
            {
                await using var inbox = await _hosts[0].OpenInboxAsync(thread);
                var mail = await inbox.DrainAsync();
                return (Show(mail), model => Show(model.MailOf(thread).Mail));
            });
        }
    }

    internal static string Show(TaskSnapshot? task) => task is null ? "unknown" : $"{task.TaskId} {task.State} {task.CancelledBy}";

    private static string Show(IEnumerable<TaskSnapshot> tasks) => string.Join(", ", tasks.Select(Show).Order(StringComparer.Ordinal));

    private static string Show(IEnumerable<InboxItem> mail) => string.Join(", ", mail.Select(item => $"{item.Sequence} {MailEventJson.Serialize(item.Event)}"));

    /// <summary>One caller, on the host that its number chooses.</summary>
    private sealed class Caller(Trial trial, int number)
    {
        private readonly BackgroundTaskManager _host = trial._hosts[number % 2];
        private readonly int _hostNumber = (number % 2) + 1;
        private string _last = "elsewhere";
        private int _reader = 2;

        internal async Task MakeAsync(IReadOnlyList<Call> calls)
        {
            foreach (var call in calls)
            {
                await MakeAsync(call);
            }
        }

        /// <summary>Makes a call, and keeps its answer and how the model comes to the same.</summary>
        internal Task ObserveAsync(string what, Func<Task<(string Answer, Func<ReferenceModel, string> Model)>> call) =>
            ObserveAsync(what, isRead: false, call);

        internal async Task ObserveAsync(string what, bool isRead, Func<Task<(string Answer, Func<ReferenceModel, string> Model)>> call)
        {
            var began = Interlocked.Increment(ref trial._moment);
            var (answer, model) = await call();
            var returned = Interlocked.Increment(ref trial._moment);
            trial._observations.Enqueue(new Observation(
                $"caller {number} {what}: {answer}", began, returned, state => string.Equals(model(state), answer, StringComparison.Ordinal), isRead));
        }

        private Task MakeAsync(Call call) => call.Kind switch
        {
            CallKind.Spawn => SpawnAsync(call),
            CallKind.Finish => FinishAsync(call),
            CallKind.Emit => EmitAsync(call),
            CallKind.CancelTask => CancelAsync(CancelScope.Task, Id(call.A)),
            CallKind.CancelTree => CancelAsync(CancelScope.Tree, call.A == 3 ? Unknown : Id(call.A)),
            CallKind.CancelThread => CancelAsync(CancelScope.Thread, Threads[call.A % 2]),
            CallKind.CancelRun => CancelAsync(CancelScope.Run, "r1"),
            CallKind.Send => SendAsync(call),
            CallKind.Get => GetAsync(Id(call.A)),
            CallKind.List => ListAsync(Threads[call.A % 2]),
            CallKind.HasRunning => HasRunningAsync(Threads[call.A % 2]),
            CallKind.FindChild => FindChildAsync(call),
            CallKind.OpenInbox => OpenAsync(Threads[call.A % 2]),
            CallKind.Drain => DrainAsync(),
            CallKind.Acknowledge => AcknowledgeAsync(call.A),
            CallKind.Restore => RestoreAsync(call),
            _ => PruneAsync(),
        };

        private string Id(int choice) => choice < trial._first.Count ? trial._first[choice] : _last;

        private Task SpawnAsync(Call call)
        {
            var thread = Threads[call.A % 2];
            var name = Names[call.B % 3];
            var lineage = new TaskLineage { TaskId = call.C < 5 ? call.C == 3 ? Unknown : Id(call.C) : null, RunId = Runs[call.A % 2] };
            return ObserveAsync($"spawns {name} on {thread} below {lineage.TaskId}, run {lineage.RunId}", async () =>
            {
                var puppet = new Puppet();
                try
                {
                    var id = await _host.SpawnAsync(thread, puppet.RunAsync, new SpawnOptions { Name = name, Lineage = lineage });
                    trial._puppets[id] = puppet;
                    _last = id;
                    return (id, model =>
                    {
                        if (model.Refuses(thread, name, lineage) is { } refusal)
                        {
                            return refusal.ToString();
                        }

                        model.Spawn(_hostNumber, id, thread, name, lineage);
                        return id;
                    });
                }
                catch (SpawnException e)
                {
                    return (e.Error.ToString(), model => $"{model.Refuses(thread, name, lineage)}");
                }
            });
        }

        private Task FinishAsync(Call call)
        {
            var id = Id(call.A);
            if (!trial._puppets.TryGetValue(id, out var puppet))
            {
                return Task.CompletedTask;
            }

            var outcome = (call.B % 3) switch { 0 => TaskOutcome.Success(1), 1 => TaskOutcome.Failure("it failed"), _ => TaskOutcome.Cancelled };
            return ObserveAsync($"ends {id} as {outcome.State}", async () =>
            {
                puppet.End(_ => Task.FromResult(outcome));
                try
                {
                    var ended = await _host.WaitAsync(id);
                    return (ended.State.ToString(), model => End(model, id, outcome));
                }
                catch (KeyNotFoundException)
                {
                    return ("pruned", model => model.Get(id) is null ? "pruned" : "there");
                }
            });
        }

        private static string End(ReferenceModel model, string id, TaskOutcome outcome)
        {
            if (model.Get(id) is { State: TaskState.Running })
            {
                model.Finish(id, outcome);
            }

            return model.Get(id)?.State.ToString() ?? "pruned";
        }

        private Task EmitAsync(Call call)
        {
            var id = Id(call.A);
            if (!trial._puppets.TryGetValue(id, out var puppet))
            {
                return Task.CompletedTask;
            }

            var emitted = new CustomTaskEvent(id, "progress", JsonSerializer.SerializeToElement(Interlocked.Increment(ref trial._events)));
            return ObserveAsync($"lets {id} emit {emitted.Payload}", async () =>
            {
                if (!(await puppet.Started).Emit(emitted.EventType, emitted.Payload))
                {
                    // The queue is sealed before the end is stored, so this says nothing about what others see.
                    return ("refused", static _ => "refused");
                }

                await trial._arrivals.OfAsync(emitted.Payload.GetInt32());
                return ("stored", model =>
                {
                    if (model.Get(id) is not { State: TaskState.Running })
                    {
                        return "ended";
                    }

                    model.Emit(id, emitted);
                    return "stored";
                });
            });
        }

        private Task CancelAsync(CancelScope scope, string key) => ObserveAsync($"cancels {scope} {key}", async () =>
        {
            var reached = scope switch
            {
                CancelScope.Task => await _host.CancelAsync(key) ? 1 : 0,
                CancelScope.Tree => await _host.CancelTreeAsync(key),
                CancelScope.Thread => await _host.CancelThreadAsync(key),
                _ => await _host.CancelRunAsync(key),
            };
            return ($"{reached}", model => $"{model.Cancel(scope, key)}");
        });

        private Task SendAsync(Call call) => ObserveAsync($"sends m{call.C} to {Id(call.A + 2)}", async () =>
        {
            var (id, from) = (Id(call.A + 2), new MessageSender("t1", $"caller {number}"));
            var receipt = await _host.SendAsync(id, from, $"m{call.C}");
            return ($"{receipt}", model => $"{model.Send(id, from, $"m{call.C}")}");
        });

        private async Task GetAsync(string id)
        {
            var began = Interlocked.Increment(ref trial._moment);
            var task = await _host.GetAsync(id);
            Keep($"gets {id}", id, task, began, Interlocked.Increment(ref trial._moment));
        }

        private async Task ListAsync(string thread)
        {
            if (trial._readsAreWhole)
            {
                await ObserveAsync($"lists {thread}", isRead: true, async () =>
                {
                    var tasks = await _host.ListAsync(thread);
                    return (Show(tasks), model => Show(model.List(task => task.OwnerThreadId == thread)));
                });
                return;
            }

            var began = Interlocked.Increment(ref trial._moment);
            var listed = await _host.ListAsync(thread);
            var returned = Interlocked.Increment(ref trial._moment);
            foreach (var task in listed)
            {
                Keep($"finds {task.TaskId} in the list of {thread}", task.TaskId, task, began, returned);
            }

            foreach (var id in trial._start.List(task => task.OwnerThreadId == thread).Select(task => task.TaskId).Except(listed.Select(task => task.TaskId)))
            {
                Keep($"misses {id} in the list of {thread}", id, null, began, returned);
            }
        }

        private void Keep(string what, string id, TaskSnapshot? task, long began, long returned) =>
            trial._observations.Enqueue(new MarkedRead($"caller {number} {what}: {Show(task)}", began, returned, id, task));

        private Task HasRunningAsync(string thread) => ObserveAsync($"asks whether {thread} has running tasks", isRead: true, async () =>
        {
            var hasRunning = await _host.HasRunningAsync(thread);
            return ($"{hasRunning}", model => $"{model.HasRunning(thread)}");
        });

        private Task FindChildAsync(Call call)
        {
            var parent = call.A % 2 == 0 ? new TaskLineage { TaskId = Id(0) } : new TaskLineage { RunId = "r1" };
            var wanted = Names[call.B % 2]!;
            return ObserveAsync($"finds {wanted} below {parent.TaskId ?? parent.RunId}", isRead: true, async () =>
            {
                var found = await _host.FindLiveChildAsync(parent, wanted);
                return (found ?? "none", model => Chosen(model.FindLiveChildren(parent, wanted), found));
            });
        }

        // Two children on two threads may have one name; either will do.
        private static string Chosen(IReadOnlyList<string> children, string? found) =>
            found is not null && children.Contains(found) ? found : children.Count > 0 ? children[0] : "none";

        private Task OpenAsync(string thread) => ObserveAsync($"opens the inbox of {thread}", async () =>
        {
            var reader = Interlocked.Increment(ref trial._readers);
            trial._inboxes[reader] = await _host.OpenInboxAsync(thread);
            _reader = reader;
            return ($"reader {reader}", model =>
            {
                model.Open(reader, thread, _hostNumber);
                return $"reader {reader}";
            });
        });

        private Task DrainAsync()
        {
            var reader = _reader;
            return ObserveAsync($"drains reader {reader}", async () =>
            {
                try
                {
                    var mail = await trial._inboxes[reader].DrainAsync();
                    return (Show(mail), model => model.StateOf(reader) == ReaderState.Open ? Show(model.Drain(reader)) : "taken over");
                }
                catch (InboxTakenOverException)
                {
                    return ("taken over", model => model.StateOf(reader) == ReaderState.Open ? "open" : "taken over");
                }
            });
        }

        private Task AcknowledgeAsync(int through)
        {
            var reader = _reader;
            return ObserveAsync($"acknowledges through {through} with reader {reader}", async () =>
            {
                try
                {
                    await trial._inboxes[reader].AckAsync(through);
                    return ("done", model =>
                    {
                        if (model.StateOf(reader) != ReaderState.Open)
                        {
                            return "taken over";
                        }

                        model.Acknowledge(reader, through);
                        return "done";
                    });
                }
                catch (InboxTakenOverException)
                {
                    return ("taken over", model => model.StateOf(reader) == ReaderState.Open ? "open" : "taken over");
                }
            });
        }

        private Task RestoreAsync(Call call)
        {
            var now = trial._clock.GetUtcNow();
            List<TaskSnapshot> tasks = [.. new[] { $"other-{call.A % 2}", $"other-{call.B % 2}" }.Select(id => new TaskSnapshot
            {
                TaskId = id,
                State = call.C % 2 == 0 ? TaskState.Running : TaskState.Completed,
                CreatedAt = now,
                CompletedAt = call.C % 2 == 0 ? null : now,
                Lineage = new TaskLineage { TaskId = call.C < 3 ? Id(0) : null },
            })];
            return ObserveAsync($"restores {Show(tasks)}", async () =>
            {
                var result = await _host.RestoreAsync("t2", tasks);
                return ($"{result}", model => $"{model.Restore("t2", tasks)}");
            });
        }

        private Task PruneAsync() => ObserveAsync("prunes", async () =>
        {
            var count = await _host.PruneAsync(TimeSpan.Zero);
            return ($"{count}", model => $"{model.Prune(TimeSpan.Zero)}");
        });
    }
}
