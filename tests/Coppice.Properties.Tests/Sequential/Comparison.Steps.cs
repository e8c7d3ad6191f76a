using System.Text.Json;
using Coppice.Properties.Tests.Model;

namespace Coppice.Properties.Tests.Sequential;

/// <content>What each step does.</content>
internal sealed partial class Comparison
{
    private async Task SpawnAsync(Step step)
    {
        var host = Host(step.C);
        var thread = Pick(_threads, step.A);
        var name = (step.B % 3) == 0 ? null : Names[(step.B % 3) - 1];
        var parent = step.C % 3 == 0 ? null : Id(step.C + step.A);
        var lineage = new TaskLineage { TaskId = parent, RunId = Run(step.A + step.B) };
        var isAgent = step.Kind == StepKind.SpawnAgent;
        var puppet = new Support.Puppet();
        var spawner = _hosts[host];

        // Inside a body the parent is not said: it is the task whose body is executing.
        Support.Puppet? inside = null;
        if (step.Kind == StepKind.SpawnInside)
        {
            var live = LivePuppets();
            if (live.Count == 0)
            {
                return;
            }

            parent = Pick(live, step.C);
            host = _hostOf[parent];
            spawner = _hosts[host];
            inside = _puppets[parent];
            lineage = lineage with { TaskId = parent };
        }

        var options = new SpawnOptions { Name = name, Lineage = inside is null ? lineage : lineage with { TaskId = null } };
        var refusal = _model.Refuses(thread, name, lineage);
        Task<string> CallAsync() => isAgent
            ? spawner.SpawnAgentAsync(thread, puppet.RunAsync, options).AsTask()
            : spawner.SpawnAsync(thread, puppet.RunAsync, options).AsTask();
        string? id = null;
        SpawnError? error = null;
        try
        {
            id = await (inside is null ? CallAsync() : inside.DoAsync(_ => CallAsync()));
        }
        catch (SpawnException e)
        {
            error = e.Error;
        }

        Tell($"{step.Kind} on {thread}, host {host}, name {name}, parent {parent}, run {lineage.RunId}: {id ?? error.ToString()}");
        Same("the refusal", refusal, error);
        if (id is null)
        {
            return;
        }

        Same("the id", TaskIds.Format(_model.NextNumber), id);
        var context = await puppet.Started;
        (string, int)? seat = null;
        if (context is AgentTaskContext agent)
        {
            _inboxes.Add(agent.Inbox);
            _threads.Add(agent.ThreadId);
            seat = (agent.ThreadId, _inboxes.Count);
        }

        _model.Spawn(host, id, thread, name, lineage, seat);
        _puppets.Add(id, puppet);
        _hostOf.Add(id, host);
        _ids.Add(id);
    }

    private async Task FinishAsync(Step step)
    {
        var live = LivePuppets();
        if (live.Count == 0)
        {
            return;
        }

        var id = live[^((step.A % live.Count) + 1)];
        var isRequested = _model.Get(id)!.CancelRequestedAt is not null;
        var outcome = (step.B % 5) switch
        {
            0 => TaskOutcome.Success(step.C),
            1 => TaskOutcome.Failure("it failed"),
            2 => TaskOutcome.Cancelled,
            3 => TaskOutcome.Failure("it threw"),
            _ => isRequested ? TaskOutcome.Cancelled : TaskOutcome.Failure("it gave up"),
        };
        Tell($"the body of {id} ends, way {step.B % 5}");
        _puppets[id].End(async context =>
        {
            if (isRequested)
            {
                await context.WhenCancelledAsync();
            }

            return (step.B % 5) switch
            {
                3 => throw new InvalidOperationException("it threw"),
                4 => throw new OperationCanceledException("it gave up"),
                _ => outcome,
            };
        });
        var ended = await _hosts[Host(step.C)].WaitAsync(id);
        _model.Finish(id, outcome);
        Same("the ended task", _model.Get(id), ended);
    }

    private async Task CancelAsync(Step step, CancelScope scope, string key)
    {
        var manager = _hosts[Host(step.A)];
        var reached = scope switch
        {
            CancelScope.Task => await manager.CancelAsync(key) ? 1 : 0,
            CancelScope.Tree => await manager.CancelTreeAsync(key),
            CancelScope.Thread => await manager.CancelThreadAsync(key),
            _ => await manager.CancelRunAsync(key),
        };
        Tell($"cancel {scope} {key}: {reached}");
        Same("how many it reached", _model.Cancel(scope, key), reached);
    }

    private async Task SendAsync(Step step)
    {
        var id = Id(step.B);
        var owner = _model.Get(id)?.OwnerThreadId;
        var from = new MessageSender(step.C % 4 == 0 || owner is null ? Pick(_threads, step.C) : owner, "planner");
        var receipt = await _hosts[Host(step.A)].SendAsync(id, from, $"m{step.C}");
        Tell($"send to {id} from {from.ThreadId}: {receipt}");
        Same("the receipt", _model.Send(id, from, $"m{step.C}"), receipt);
    }

    private async Task EmitAsync(Step step)
    {
        var live = LivePuppets();
        if (live.Count == 0)
        {
            return;
        }

        var id = Pick(live, step.A);
        for (var i = 0; i <= step.B % 3; i++)
        {
            var emitted = new CustomTaskEvent(id, "progress", JsonSerializer.SerializeToElement(++_emitted));
            Same("whether it was accepted", true, (await _puppets[id].Started).Emit(emitted.EventType, emitted.Payload));
            _model.Emit(id, emitted);
        }

        await _arrivals.OfAsync(_emitted);
        Tell($"{id} emits {(step.B % 3) + 1} events");
    }

    private async Task OpenAsync(Step step)
    {
        var host = Host(step.A);
        var thread = Pick(_threads, step.B);
        _inboxes.Add(await _hosts[host].OpenInboxAsync(thread));
        _model.Open(_inboxes.Count, thread, host);
        Tell($"host {host} opens the inbox of {thread} as reader {_inboxes.Count}");
    }

    private async Task DrainAsync(Step step)
    {
        if (Reader(step.A) is not { } reader)
        {
            return;
        }

        IReadOnlyList<InboxItem> read = [];
        var state = await StateOfAsync(async () => read = await _inboxes[reader - 1].DrainAsync());
        Tell($"reader {reader} drains: {state}, {string.Join(", ", read)}");
        CompareState(reader, state);
        if (state == ReaderState.Open)
        {
            SameList("what was read", _model.Drain(reader), read);
        }
    }

    private async Task AcknowledgeAsync(Step step)
    {
        if (Reader(step.A) is not { } reader)
        {
            return;
        }

        var through = _model.MailOf(_inboxes[reader - 1].ThreadId).AcknowledgedThrough + step.B - 1;
        through = Math.Max(0, through);
        var state = await StateOfAsync(async () => await _inboxes[reader - 1].AckAsync(through));
        Tell($"reader {reader} acknowledges through {through}: {state}");
        CompareState(reader, state);
        if (state == ReaderState.Open)
        {
            _model.Acknowledge(reader, through);
        }
    }

    private async Task DisposeInboxAsync(Step step)
    {
        if (Reader(step.A) is not { } reader)
        {
            return;
        }

        await _inboxes[reader - 1].DisposeAsync();
        Tell($"reader {reader} is disposed");
        _model.DisposeReader(reader);
    }

    private async Task WaitAsync(Step step)
    {
        var id = Id(step.B);
        var task = _model.Get(id);
        var waiting = _hosts[Host(step.A)].WaitAsync(id);
        if (task is null)
        {
            await Assert.ThrowsAsync<KeyNotFoundException>(() => waiting);
        }
        else if (task.State.IsTerminal())
        {
            Same("the ended task", task, await waiting);
        }
        else
        {
            // It goes on waiting until the task ends, or its manager is disposed.
            _ = waiting.ContinueWith(static ended => ended.Exception, TaskScheduler.Default);
            Same("whether the wait is over", false, waiting.IsCompleted);
        }
    }

    private async Task FindChildAsync(Step step)
    {
        var parent = new TaskLineage { TaskId = step.A % 2 == 0 ? Id(step.B) : null, RunId = Run(step.B) };
        var wanted = step.C % 3 == 0 ? Id(step.C) : Names[step.C % 2];
        var found = await _hosts[Host(step.A)].FindLiveChildAsync(parent, wanted);
        Tell($"find {wanted} below task {parent.TaskId}, run {parent.RunId}: {found}");
        var children = _model.FindLiveChildren(parent, wanted);
        Same("the child", children.Count == 0 ? null : children[0], found);
    }

    private async Task QueryAsync(Step step)
    {
        var query = new TaskQuery
        {
            OwnerThreadId = step.A % 2 == 0 ? Pick(_threads, step.A) : null,
            States = step.B % 3 == 0 ? [TaskState.Running, TaskState.Failed] : null,
            Name = step.B % 4 == 1 ? "x" : null,
            RunId = step.C % 3 == 1 ? "r1" : null,
            ParentTaskId = step.C % 3 == 2 ? Id(step.B) : null,
        };
        var found = await _hosts[Host(step.A)].QueryAsync(query).ToListAsync();
        Tell($"query {query}");
        SameList("the answer", _model.List(query.Matches), found);
    }

    private async Task RestoreAsync(Step step)
    {
        var thread = Pick(_threads, step.A);
        var tasks = Enumerable.Range(0, step.B % 3 + 1).Select(i => Restored(step, i)).ToList();
        var result = await _hosts[Host(step.C)].RestoreAsync(thread, tasks);
        Tell($"restore to {thread}: {string.Join(", ", tasks.Select(task => $"{task.TaskId} {task.State} below {task.Lineage.TaskId}"))}: {result}");
        Same("the counts", _model.Restore(thread, tasks), result);
        _ids.AddRange(tasks.Select(task => task.TaskId).Where(id => !_ids.Contains(id)).Distinct());
    }

    private TaskSnapshot Restored(Step step, int i)
    {
        var state = (TaskState)((step.C + i) % 6);
        return new TaskSnapshot
        {
            TaskId = ((step.A + i) % 3) switch { 0 => Id(step.B + i), 1 => $"bg_{_model.NextNumber + i + 1}", _ => $"other-{(step.B + i) % 4}" },
            OwnerThreadId = "elsewhere",
            Name = (step.B % 3) == 0 ? null : Names[(step.B % 3) - 1],
            State = state,
            Error = state == TaskState.Failed ? "it failed before" : null,
            CreatedAt = _model.Now - TimeSpan.FromMilliseconds(step.C % 3),
            CompletedAt = state.IsTerminal() ? _model.Now : null,
            CancelRequestedAt = step.C % 5 == 0 ? _model.Now : null,
            CancelledBy = step.C % 5 == 0 ? "user" : null,
            Lineage = new TaskLineage { TaskId = (step.A + step.C + i) % 2 == 0 ? null : Id(step.A + step.C), RunId = Run(step.C) },
        };
    }

    private async Task PruneAsync(Step step)
    {
        var olderThan = TimeSpan.FromMilliseconds(step.B % 4);
        var count = await _hosts[Host(step.A)].PruneAsync(olderThan);
        Tell($"prune what ended {olderThan.TotalMilliseconds} ms ago: {count}");
        Same("how many were pruned", _model.Prune(olderThan), count);
    }

    private Task AdvanceAsync(Step step)
    {
        _clock.Advance(TimeSpan.FromMilliseconds(step.A));
        _model.Now = _clock.GetUtcNow();
        Tell($"{step.A} ms pass");
        return Task.CompletedTask;
    }

    private async Task StartHostAsync()
    {
        if (_hosts.Count == 3)
        {
            return;
        }

        _hosts.Add(++_hostCount, await BackgroundTaskManager.StartAsync(_store, ModelledHost.OptionsOn(_clock)));
        _model.StartHost(_hostCount);
        _model.SettleOrphans();
        Tell($"host {_hostCount} starts");
    }

    private async Task StopHostAsync(Step step)
    {
        var host = Host(step.A);
        await _hosts[host].DisposeAsync();
        _hosts.Remove(host);
        _model.StopHost(host);
        Tell($"host {host} stops");
        if (_hosts.Count > 0)
        {
            foreach (var orphan in _model.SettleOrphans())
            {
                await _hosts.Values.First().WaitAsync(orphan);
            }
        }
    }

    private List<string> LivePuppets() =>
        [.. _ids.Where(id => _model.Get(id) is { State: TaskState.Running } && _puppets.ContainsKey(id) && _hosts.ContainsKey(_hostOf[id]))];

    private int? Reader(int number) => _inboxes.Count == 0 ? null : _inboxes.Count - (number % _inboxes.Count);

    private static async Task<ReaderState> StateOfAsync(Func<Task> call)
    {
        try
        {
            await call();
            return ReaderState.Open;
        }
        catch (InboxTakenOverException)
        {
            return ReaderState.TakenOver;
        }
        catch (ObjectDisposedException)
        {
            return ReaderState.Disposed;
        }
    }

    // Between the end of an agent and the end of its inbox object, the store says that the reader is gone, and not why.
    private void CompareState(int reader, ReaderState state)
    {
        var expected = _model.StateOf(reader);
        Same("whether the reader has the inbox", expected == ReaderState.Open, state == ReaderState.Open);
        if (!_model.IsReaderOfEndedAgent(reader))
        {
            Same("the state of the reader", expected, state);
        }
    }
}
