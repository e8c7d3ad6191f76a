using System.Text.Json;

namespace Coppice.Testing.Tests;

/// <summary>
/// One attempt at an <see cref="Order"/>. It does the same in every attempt as far as steps go, and writes into the history what it pays and gets.
/// </summary>
internal sealed class WorkBody(SimulationWorld world, SimulatedHost host, DurableTaskContext context, Func<int> pay, Func<string> anyTask)
{
    /// <summary>Gets whether it does without chance: no step fails, and all mail is acknowledged.</summary>
    internal bool IsSteady { get; init; }

    private Recorder History => world.Run.Recorder;

    private SimulatedProcess Process => host.Process;

    private string Id => context.TaskId;

    private long Claim => context.Claim;

    internal async Task<int> RunAsync(Order order)
    {
        History.Add(new CheckpointGiven(Process, Id, Claim, context.State.HasValue ? context.State.Get<JsonElement>().GetRawText() : null));
        foreach (var doing in order.Does)
        {
            await DoAsync(doing.What, doing.Number);
        }

        return pay();
    }

    private async Task DoAsync(string what, int number)
    {
        switch (what)
        {
            case "step": await StepAsync($"step {number}"); break;
            case "branches": await Task.WhenAll(BranchAsync($"left {number}"), BranchAsync($"right {number}")); break;
            case "loop":
                for (var i = 0; i < 3; i++)
                {
                    await StepAsync($"loop {number}", $"round {i}");
                }

                break;
            case "kept": await KeptAsync($"kept {number}"); break;
            case "checkpoint": await context.State.SetAsync(JsonValue.Parse($"{{\"at\":{number},\"paid\":{pay()}}}")); break;
            case "sleep": await SleepAsync($"sleep {number}", TimeSpan.FromSeconds(1 + (number % 20))); break;
            case "spawn": await SpawnAsync(number); break;
            case "join": await JoinAsync($"join {number}", number); break;
            case "emit": context.Emit("paid", pay()); break;
            case "pause": await Task.Delay(TimeSpan.FromMilliseconds(1 + world.Choose(2000)), host.Time, context.CancellationToken); break;
            case "fail" when world.Choose(2) == 1: throw new InvalidOperationException($"failed {pay()}");
            case "deaf": await Task.Delay(TimeSpan.FromSeconds(1 + world.Choose(30)), host.Time); break;
            case "park":
                await context.WhenCancelledAsync();
                context.CancellationToken.ThrowIfCancellationRequested();
                break;
            case "cancel": await TolerateAsync(() => context.Manager.CancelTreeAsync(anyTask()).AsTask()); break;
            case "mail": await ReadMailAsync(); break;
            case "close": context.Agent?.CloseInbox(); break;
            case "plain": await TolerateAsync(() => SpawnPlainAsync(number)); break;
            case "again": await TryAgainAsync($"again {number}"); break;
            case "nap": await NapAsync(); break;
        }
    }

    private async Task BranchAsync(string name)
    {
        await StepAsync(name + " one");
        await StepAsync(name + " two");
    }

    private async Task StepAsync(string name, string? key = null)
    {
        var result = await context.StepAsync(
            name,
            async token =>
            {
                History.Add(new StepBegan(Process, Id, Claim, name, key ?? ""));
                if (world.Choose(3) == 1)
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(1 + world.Choose(3000)), host.Time, token);
                }

                return !IsSteady && world.Choose(12) == 1
                    ? throw new InvalidOperationException($"step failed {pay()}")
                    : JsonValue.Parse($"{{\"paid\":{pay()},\"of\":\"\\u00e9 {name}\"}}");
            },
            key is null ? null : new StepOptions { Key = key });
        History.Add(new StepGiven(Process, Id, Claim, name, key ?? "", result.GetRawText()));
    }

    private async Task KeptAsync(string name)
    {
        try
        {
            await context.StepAsync<int>(
                name,
                _ =>
                {
                    History.Add(new StepBegan(Process, Id, Claim, name, ""));
                    throw new InvalidOperationException($"no {pay()}");
                },
                new StepOptions { KeepFailure = true });
        }
        catch (StepFailedException)
        {
            History.Add(new StepGiven(Process, Id, Claim, name, "", null));
        }
    }

    /// <summary>The body itself tries a step again that failed.</summary>
    private async Task TryAgainAsync(string name)
    {
        for (var tries = 0; tries < 3; tries++)
        {
            try
            {
                await StepAsync(name);
                return;
            }
            catch (InvalidOperationException)
            {
                // Once more.
            }
        }
    }

    /// <summary>Waits for what the manager sees, and for what it does not see.</summary>
    private async Task NapAsync()
    {
        await context.SleepAsync(TimeSpan.FromMilliseconds(1 + world.Choose(3000)));
        using var parked = context.Park();
        await Task.Delay(TimeSpan.FromMilliseconds(1 + world.Choose(1000)), host.Time, context.CancellationToken);
    }

    private async Task SpawnPlainAsync(int number) => History.Add(new SpawnAcknowledged(Process, await context.Manager.SpawnAsync(
        context.OwnerThreadId,
        async child =>
        {
            await Task.Delay(TimeSpan.FromSeconds(1 + (number % 10)), host.Time, child.CancellationToken);
            return TaskOutcome.Success(number);
        })));

    private async Task SleepAsync(string name, TimeSpan duration)
    {
        History.Add(new SleepBegan(Process, Id, Claim, name, duration));
        await context.SleepAsync(duration, name);
        History.Add(new SleepEnded(Process, Id, Claim, name));
    }

    private async Task SpawnAsync(int number)
    {
        var kind = WorkKinds.All[number % WorkKinds.All.Count];
        var child = await context.SpawnAsync($"child {number}", kind, new Order([new Doing("step", 0), new Doing("pause", 1)]));
        History.Add(new SpawnAcknowledged(Process, child.Id));
    }

    private async Task JoinAsync(string name, int number)
    {
        var joined = await context.JoinAsync(name, (number % 4) switch
        {
            0 => JoinCondition.Any,
            1 => JoinCondition.Successes(2),
            _ => JoinCondition.All,
        });
        History.Add(new JoinGiven(Process, Id, Claim, name, joined.IsMet, [.. joined.Ended.Select(static task => task.TaskId)]));
    }

    private async Task ReadMailAsync()
    {
        if (context.Agent is not { } agent)
        {
            return;
        }

        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1 + world.Choose(5)), host.Time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, context.CancellationToken);
        try
        {
            var item = await agent.Inbox.ReadAsync(stop.Token);
            if (IsSteady || world.Choose(3) > 0)
            {
                await agent.Inbox.AckAsync(item.Sequence);
            }
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested && !context.CancellationToken.IsCancellationRequested)
        {
            // There was none.
        }
    }

    private static async Task TolerateAsync(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (Exception e) when (e is TaskStoreException or ObjectDisposedException or SpawnException)
        {
            // It may have got through.
        }
    }
}
