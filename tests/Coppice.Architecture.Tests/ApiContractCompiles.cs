using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Coppice.Architecture.Tests;

/// <summary>
/// Every name of the public contract, used with exactly the signature that outside programs are compiled against. Nothing here is
/// called: a change that would break those programs breaks this file.
/// </summary>
internal static class ApiContractCompiles
{
    internal static object[] States(TaskState state) =>
    [
        TaskState.Pending, TaskState.Running, TaskState.InputRequired, TaskState.Completed, TaskState.Failed, TaskState.Cancelled,
        (Func<TaskState, bool>)TaskStateExtensions.IsTerminal, (Func<TaskState, string>)TaskStateExtensions.ToWireName,
        state.IsTerminal(), state.ToWireName(),
    ];

    internal static object?[] Outcomes(TaskOutcome outcome, JsonElement element, JsonTypeInfo<Version> contract)
    {
        Func<JsonElement, TaskOutcome> success = TaskOutcome.Success;
        Func<Version, TaskOutcome> successOf = TaskOutcome.Success<Version>;
        Func<Version, JsonTypeInfo<Version>, TaskOutcome> successBy = TaskOutcome.Success;
        Func<string, TaskOutcome> failure = TaskOutcome.Failure;
        TaskState state = outcome.State;
        JsonElement? result = outcome.Result;
        string? error = outcome.Error;
        TaskOutcome cancelled = TaskOutcome.Cancelled;
        return
        [
            success, successOf, successBy, failure, state, result, error, cancelled, TaskOutcome.Success(result: element),
            TaskOutcome.Success(result: "text"), TaskOutcome.Success(new Version(), contract), TaskOutcome.Failure(error: "why"),
        ];
    }

    internal static object?[] Lineages()
    {
        TaskLineage none = TaskLineage.None;
        string? task = none.TaskId, run = none.RunId, call = none.CallId, agent = none.AgentId;
        bool empty = none.IsEmpty;
        return [task, run, call, agent, empty, new TaskLineage { TaskId = null, RunId = null, CallId = null, AgentId = null }, none with { RunId = "r" }];
    }

    internal static object?[] Snapshots(TaskSnapshot task)
    {
        string id = task.TaskId, owner = task.OwnerThreadId, type = task.Type, description = task.Description;
        string? name = task.Name, error = task.Error, cancelledBy = task.CancelledBy;
        TaskState state = task.State;
        JsonElement? result = task.Result;
        DateTimeOffset created = task.CreatedAt;
        DateTimeOffset? completed = task.CompletedAt, cancelRequested = task.CancelRequestedAt;
        TaskLineage lineage = task.Lineage;
        return
        [
            new TaskSnapshot
            {
                TaskId = id, OwnerThreadId = owner, Type = type, Name = name, Description = description, State = state, Error = error,
                Result = result, CreatedAt = created, CompletedAt = completed, CancelRequestedAt = cancelRequested,
                CancelledBy = cancelledBy, Lineage = lineage,
            },
        ];
    }

    internal static SpawnOptions Spawning() =>
        new() { Type = (string?)null, Name = (string?)null, Description = (string?)null, Lineage = TaskLineage.None, Blocking = true };

    internal static MailEvent[] Mail(JsonElement element)
    {
        TaskEvent completed = new TaskCompleted(TaskId: "t", Result: (JsonElement?)element);
        TaskEvent failed = new TaskFailed(TaskId: "t", Error: "e");
        TaskEvent cancelled = new TaskCancelled(TaskId: "t");
        TaskEvent custom = new CustomTaskEvent(TaskId: "t", EventType: "e", Payload: element);
        MailEvent message = new ThreadMessage(MessageId: "m", FromThreadId: "t", FromAgentId: "a", Content: "c");
        string id = custom.TaskId;
        var (taskId, eventType, payload) = (CustomTaskEvent)custom;
        (string, string, JsonElement) parts = (taskId, eventType, payload);
        return [completed, failed, cancelled, custom, message, new TaskCancelled(id), new CustomTaskEvent(parts.Item1, parts.Item2, parts.Item3)];
    }

    internal static object?[] Messages()
    {
        var sender = new MessageSender(ThreadId: "t", AgentId: "a");
        var receipt = new SendReceipt(Result: SendResult.Delivered, TaskState: (TaskState?)null);
        SendResult result = receipt.Result;
        TaskState? state = receipt.TaskState;
        return
        [
            sender.ThreadId, sender.AgentId, result, state, SendResult.TaskNotFound, SendResult.NotOwner, SendResult.TaskTerminated,
            SendResult.NoInbox, SendResult.InboxClosed, SendResult.InboxFull,
        ];
    }

    internal static object?[] Faults(CoppiceException fault, SpawnException refusal, TaskStoreException storeFault, InboxTakenOverException takenOver)
    {
        Exception asException = fault;
        CoppiceException[] faults = [refusal, storeFault, takenOver];
        string code = fault.Code;
        SpawnError error = refusal.Error;
        bool transient = storeFault.IsTransient;
        var restored = new RestoreResult(Added: 1, Skipped: 2, Orphaned: 3);
        int added = restored.Added, skipped = restored.Skipped, orphaned = restored.Orphaned;
        return
        [
            asException, faults, code, error, transient, added, skipped, orphaned, SpawnError.ReservedName, SpawnError.DuplicateName,
            SpawnError.InvalidName, SpawnError.ParentCancelled, SpawnError.TooDeep, SpawnError.ShuttingDown,
        ];
    }

    internal static object?[] Manager(BackgroundTaskManager manager, JsonTypeInfo<Version> contract)
    {
        Func<ITaskStore, BackgroundTaskOptions?, CancellationToken, ValueTask<BackgroundTaskManager>> start = BackgroundTaskManager.StartAsync;
        Func<string, Func<TaskContext, Task<TaskOutcome>>, SpawnOptions?, CancellationToken, ValueTask<string>> spawn = manager.SpawnAsync;
        Func<string, Func<TaskContext, Task<Version>>, SpawnOptions?, CancellationToken, ValueTask<string>> spawnOf = manager.SpawnAsync<Version>;
        Func<string, Func<TaskContext, Task<Version>>, JsonTypeInfo<Version>, SpawnOptions?, CancellationToken, ValueTask<string>> spawnBy =
            manager.SpawnAsync;
        Func<string, Func<TaskContext, Task>, SpawnOptions?, CancellationToken, ValueTask<string>> spawnPlain = manager.SpawnAsync;
        Func<string, Func<AgentTaskContext, Task<TaskOutcome>>, SpawnOptions?, CancellationToken, ValueTask<string>> spawnAgent =
            manager.SpawnAgentAsync;
        Func<string, CancellationToken, ValueTask<bool>> cancel = manager.CancelAsync;
        Func<string, CancellationToken, ValueTask<int>> cancelTree = manager.CancelTreeAsync;
        Func<string, CancellationToken, ValueTask<int>> cancelThread = manager.CancelThreadAsync;
        Func<string, CancellationToken, ValueTask<int>> cancelRun = manager.CancelRunAsync;
        Func<string, CancellationToken, ValueTask<TaskSnapshot?>> get = manager.GetAsync;
        Func<string, CancellationToken, ValueTask<IReadOnlyList<TaskSnapshot>>> list = manager.ListAsync;
        Func<TaskQuery, CancellationToken, IAsyncEnumerable<TaskSnapshot>> query = manager.QueryAsync;
        Func<string, CancellationToken, ValueTask<bool>> hasRunning = manager.HasRunningAsync;
        Func<string, CancellationToken, Task<TaskSnapshot>> wait = manager.WaitAsync;
        Func<TaskQuery?, CancellationToken, IAsyncEnumerable<TaskChange>> watch = manager.WatchAsync;
        Func<string, MessageSender, string, CancellationToken, ValueTask<SendReceipt>> send = manager.SendAsync;
        Func<TaskLineage, string, CancellationToken, ValueTask<string?>> findLiveChild = manager.FindLiveChildAsync;
        Func<string, CancellationToken, ValueTask<Inbox>> openInbox = manager.OpenInboxAsync;
        Func<string, IEnumerable<TaskSnapshot>, CancellationToken, ValueTask<RestoreResult>> restore = manager.RestoreAsync;
        Func<string?, CancellationToken, IAsyncEnumerable<TaskSnapshot>> export = manager.ExportAsync;
        Func<ValueTask> dispose = ((IAsyncDisposable)manager).DisposeAsync;
        return
        [
            start, spawn, spawnOf, spawnBy, spawnPlain, spawnAgent, cancel, cancelTree, cancelThread, cancelRun, get, list, query, hasRunning,
            wait, watch, send, findLiveChild, openInbox, restore, export, dispose, contract,
        ];
    }

    /// <summary>The shortest calls: what may be left out, and which overload a lambda means.</summary>
    internal static async Task ShortCalls(ITaskStore store)
    {
        await using BackgroundTaskManager manager = await BackgroundTaskManager.StartAsync(store);
        await manager.SpawnAsync("t", async context => { await context.WhenCancelledAsync(); return TaskOutcome.Cancelled; });
        await manager.SpawnAsync("t", async context => { await context.WhenCancelledAsync(); return 1; });
        await manager.SpawnAsync("t", async context => { await context.WhenCancelledAsync(); });
        await manager.SpawnAgentAsync("t", async agent => { await agent.WhenCancelledAsync(); return TaskOutcome.Cancelled; });
        await foreach (TaskChange _ in manager.WatchAsync()) { }
        await foreach (TaskSnapshot _ in manager.ExportAsync()) { }
    }

    /// <summary>The calls with the names of their arguments.</summary>
    internal static async Task Calls(ITaskStore store, JsonTypeInfo<Version> contract, CancellationToken stop)
    {
        await using BackgroundTaskManager manager =
            await BackgroundTaskManager.StartAsync(store: store, options: new BackgroundTaskOptions(), cancellationToken: stop);

        await manager.SpawnAsync(ownerThreadId: "t", body: _ => Task.FromResult(new Version()), jsonTypeInfo: contract, options: null, cancellationToken: stop);
        await manager.SpawnAgentAsync(ownerThreadId: "t", body: _ => Task.FromResult(TaskOutcome.Cancelled), options: null, cancellationToken: stop);

        await manager.CancelAsync(taskId: "t", cancellationToken: stop);
        await manager.CancelTreeAsync(taskId: "t", cancellationToken: stop);
        await manager.CancelThreadAsync(ownerThreadId: "t", cancellationToken: stop);
        await manager.CancelRunAsync(runId: "t", cancellationToken: stop);
        await manager.GetAsync(taskId: "t", cancellationToken: stop);
        await manager.ListAsync(ownerThreadId: "t", cancellationToken: stop);
        await manager.HasRunningAsync(ownerThreadId: "t", cancellationToken: stop);
        await manager.WaitAsync(taskId: "t", cancellationToken: stop);
        await manager.SendAsync(taskId: "t", from: new MessageSender("t", "a"), content: "c", cancellationToken: stop);
        await manager.FindLiveChildAsync(parent: TaskLineage.None, nameOrTaskId: "n", cancellationToken: stop);
        await manager.OpenInboxAsync(ownerThreadId: "t", cancellationToken: stop);
        await manager.RestoreAsync(ownerThreadId: "t", snapshot: [], cancellationToken: stop);
        await foreach (TaskSnapshot _ in manager.QueryAsync(query: new TaskQuery(), cancellationToken: stop)) { }
        await foreach (TaskChange _ in manager.WatchAsync(query: null, cancellationToken: stop)) { }
        await foreach (TaskSnapshot _ in manager.ExportAsync(ownerThreadId: null, cancellationToken: stop)) { }
    }

    internal static object?[] Contexts(TaskContext context, AgentTaskContext agent, JsonElement element, JsonTypeInfo<Version> contract)
    {
        TaskContext? current = TaskContext.Current;
        TaskContext asTask = agent;
        BackgroundTaskManager manager = context.Manager;
        string id = context.TaskId, owner = context.OwnerThreadId, thread = agent.ThreadId;
        CancellationToken token = context.CancellationToken;
        Func<string, int, bool> emit = context.Emit;
        Func<string, JsonElement, bool> emitElement = context.Emit;
        Func<string, Version, JsonTypeInfo<Version>, bool> emitBy = context.Emit;
        Func<Task> whenCancelled = context.WhenCancelledAsync;
        Inbox inbox = agent.Inbox;
        Action closeInbox = agent.CloseInbox;
        Func<string, string, string, CancellationTokenSource?, IDisposable> begin = ToolCallScope.Begin;
        return
        [
            current, asTask, manager, id, owner, thread, token, emit, emitElement, emitBy, whenCancelled, inbox, closeInbox, begin,
            context.Emit(eventType: "e", payload: 1), context.Emit(eventType: "e", payload: element), context.Emit("e", new Version(), contract),
            ToolCallScope.Begin(runId: "r", callId: "c", agentId: "a"), ToolCallScope.Begin("r", "c", "a", run: null),
        ];
    }

    internal static object?[] Inboxes(Inbox inbox)
    {
        string thread = inbox.ThreadId;
        Func<CancellationToken, ValueTask<IReadOnlyList<InboxItem>>> drain = inbox.DrainAsync;
        Func<CancellationToken, ValueTask<InboxItem>> read = inbox.ReadAsync;
        Func<CancellationToken, IAsyncEnumerable<InboxItem>> readAll = inbox.ReadAllAsync;
        Func<long, CancellationToken, ValueTask> ack = inbox.AckAsync;
        Func<ValueTask> dispose = ((IAsyncDisposable)inbox).DisposeAsync;
        var (sequence, mail) = new InboxItem(Sequence: 1L, Event: new TaskCancelled("t"));
        (long, MailEvent) parts = (sequence, mail);
        return [thread, drain, read, readAll, ack, dispose, parts, inbox.AckAsync(throughSequence: 1).AsTask()];
    }

    internal static BackgroundTaskOptions Options()
    {
        Func<string, CancellationToken, ValueTask>? onUnreadMail = null;
        return new()
        {
            ShutdownGracePeriod = TimeSpan.Zero, TimeProvider = TimeProvider.System, HostTimeout = TimeSpan.Zero, OnUnreadMail = onUnreadMail,
            LoggerFactory = Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance,
        };
    }

    internal static object?[] Stores(ITaskStore store, CommitResult result)
    {
        Func<MutationBatch, CancellationToken, ValueTask<CommitResult>> commit = store.CommitAsync;
        ITaskStore inMemory = new InMemoryTaskStore();
        IAsyncDisposable disposable = inMemory;
        long revision = result.Revision;
        return [commit, disposable, revision];
    }
}
