namespace Coppice.Testing.Tests;

/// <summary>
/// Readers of one thread write down each piece of mail in its conversation, on hosts that crash and stand still before a store that loses
/// answers: each piece stands there once, in order, and what does not stand there comes again.
/// </summary>
public sealed class ConversationTests
{
    [Fact]
    public Task No_mail_is_written_down_twice_or_lost_in_memory() => ExploreAsync(SimulationStore.InMemory, 300);

    [Fact]
    public async Task No_mail_is_written_down_twice_or_lost_on_SQLite()
    {
        using var store = new SqliteSimulationStore();
        await ExploreAsync(store, 60);
    }

    private static async Task ExploreAsync(SimulationStore store, int histories)
    {
        var options = new SimulationOptions { Histories = histories, Store = store, Faults = new SimulationFaults { Crashes = 0.01 }, MaxTime = TimeSpan.FromHours(6) };
        var report = await Simulation.ExploreAsync(ScenarioAsync, options, TestContext.Current.CancellationToken);

        Assert.Equal(histories, report.Histories);
    }

    private static async Task ScenarioAsync(SimulationWorld world)
    {
        const int Tasks = 6;
        var spawned = 0;
        for (var number = 0; number < 3; number++)
        {
            var host = await world.StartHostAsync($"h{number}");
            var work = host.RunAsync(manager => WorkAsync(world, host, manager, () => spawned++ < Tasks)).UnlessCrashedAsync();
            await Task.WhenAny(work, world.DelayAsync(TimeSpan.FromSeconds(1 + world.Choose(20))));
            if (world.Choose(3) == 0)
            {
                host.Crash();
            }
        }

        var last = await world.StartHostAsync("last");
        await last.RunAsync(manager => CheckAsync(last, manager)).UnlessCrashedAsync();
    }

    /// <summary>Spawns tasks and writes down their mail, as a loop around a model would.</summary>
    private static async Task WorkAsync(SimulationWorld world, SimulatedHost host, BackgroundTaskManager manager, Func<bool> isMore)
    {
        while (true)
        {
            try
            {
                await using var inbox = await manager.OpenInboxAsync("t");
                while (isMore())
                {
                    await manager.SpawnAsync("t", static _ => Task.FromResult(TaskOutcome.Success(1)));
                    var entries = await manager.ReadConversationAsync("t").CountAsync();
                    foreach (var item in await inbox.DrainAsync())
                    {
                        await inbox.AppendAsync(entries++, [JsonValue.Parse($"{item.Sequence}")], item.Sequence);
                    }
                }

                return;
            }
            catch (Exception e) when (e is TaskStoreException or ConversationConflictException or SpawnException)
            {
                // It begins anew, with what is stored.
                await Task.Delay(TimeSpan.FromMilliseconds(1 + world.Choose(50)), host.Time);
            }
            catch (Exception e) when (e is InboxTakenOverException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private static async Task CheckAsync(SimulatedHost host, BackgroundTaskManager manager)
    {
        while (true)
        {
            try
            {
                await using var inbox = await manager.OpenInboxAsync("t");
                var written = await manager.ReadConversationAsync("t").Select(static entry => entry.GetInt64()).ToListAsync();
                var left = (await inbox.DrainAsync()).Select(static item => item.Sequence).ToList();
                if (!written.Concat(left).SequenceEqual(Enumerable.Range(1, written.Count + left.Count).Select(static i => (long)i)))
                {
                    throw new InvalidOperationException($"Written down is {string.Join(' ', written)}, and still there is {string.Join(' ', left)}.");
                }

                return;
            }
            catch (TaskStoreException)
            {
                await Task.Delay(TimeSpan.FromSeconds(1), host.Time);
            }
        }
    }
}
