using Coppice;

// A process of its own for tests. It says what it did in one line: "ok …", or "<code> <transient> <message>".
var (command, path) = (args[0], args[1]);
try
{
    switch (command)
    {
        case "hold":
            await HoldAsync(path);
            break;
        case "commit":
            await using (var store = await SqliteTaskStore.OpenAsync(path))
            {
                await SayAsync($"ok {await AddAsync(store)}");
            }

            break;
        case "read":
            await using (var store = await SqliteTaskStore.OpenReadOnlyAsync(path))
            {
                await SayAsync($"ok {(await store.ListAsync(new TaskQuery(), null, 1000, default)).Count}");
            }

            break;
        default:
            await SayAsync($"unknown command {command}");
            return 2;
    }

    return 0;
}
catch (TaskStoreException e)
{
    await SayAsync($"{e.Code} {e.IsTransient} {e.Message}");
    return 1;
}

static async Task HoldAsync(string path)
{
    await using var store = await SqliteTaskStore.OpenAsync(path);
    await SayAsync($"ok {await AddAsync(store)}");

    // Until the parent closes the pipe, or kills.
    await Console.In.ReadLineAsync();
}

static async Task<string> AddAsync(SqliteTaskStore store)
{
    var time = DateTimeOffset.UnixEpoch;
    var joined = await store.CommitAsync(new(default, HostFence.None, time, [new JoinHost("child")]), default);
    var fence = ((HostJoined)joined.Answers[0]).Fence;
    var added = await store.CommitAsync(new(new(fence.Epoch, 1), fence, time, [new AddTask { OwnerThreadId = "t1", Type = "task" }]), default);
    return ((TaskAdded)added.Answers[0]).TaskId;
}

static async Task SayAsync(string line)
{
    await Console.Out.WriteLineAsync(line);
    await Console.Out.FlushAsync();
}
