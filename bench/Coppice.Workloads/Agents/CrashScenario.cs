using Coppice.Testing;
using Microsoft.Extensions.AI;

namespace Coppice.Workloads;

/// <summary>
/// A conversation whose process dies once or twice, or shuts down without a grace period, at a moment that chance chooses: at a commit, while the
/// model thinks, in the moment in which it has answered, or while the turn waits. The next process goes on with the history as the application last kept it.
/// </summary>
/// <param name="tasks">How many background tasks the model asks for.</param>
/// <param name="kept">How the application keeps its history.</param>
internal sealed class CrashScenario(int tasks, KeptHistory kept)
{
    private int _nextSeed;

    /// <summary>Gets how many tasks have ended of which the model was told in no call that it answered.</summary>
    internal int Missed { get; private set; }

    /// <summary>Gets how many ended tasks the history does not know that the application has at the end.</summary>
    internal int NotInHistory { get; private set; }

    internal int IdleCalls { get; private set; }

    internal int Ended { get; private set; }

    /// <summary>Gets how many turns died with their process.</summary>
    internal int Deaths { get; private set; }

    /// <summary>Gets or sets whether the first end that was missed is a failure of its history, which is then made small and printed.</summary>
    internal bool FailsWhenMissed { get; set; }

    /// <summary>Gets the seeds of the conversations in which an end was missed.</summary>
    internal List<int> SeedsThatMissed { get; } = [];

    internal Task<SimulationReport> ExploreAsync(int histories, int firstSeed, CancellationToken cancellationToken)
    {
        _nextSeed = firstSeed;
        var options = new SimulationOptions { Histories = histories, FirstSeed = firstSeed, Faults = SimulationFaults.None };
        return Simulation.ExploreAsync(RunAsync, options, cancellationToken);
    }

    private async Task RunAsync(SimulationWorld world)
    {
        var seed = _nextSeed++;
        var tally = new ModelTally();
        var history = new List<ChatMessage> { new(ChatRole.User, ToldWorkload.Question) };
        var seconds = Enumerable.Range(0, tasks).Select(_ => 1 + world.Choose(60)).ToList();
        var crashes = 1 + world.Choose(2);
        for (var life = 0; ; life++)
        {
            var host = await world.StartHostAsync("host", options => options.ShutdownGracePeriod = TimeSpan.Zero);
            var model = new CoordinatorModel(host.Time, seconds, tally) { CallPrefix = $"life-{life}" };
            var fate = life < crashes ? Fate.Choose(world, host, model) : Task.CompletedTask;
            try
            {
                await host.RunAsync(manager => TurnAsync(manager, host, model, history));
                break;
            }
            catch (Exception e) when (e is SimulatedHostCrashedException or ObjectDisposedException)
            {
                Deaths++;
                await fate;
            }
        }

        // The process may still die; whoever judges looks from elsewhere.
        await JudgeAsync(await world.StartHostAsync("judge"), tally, history, seed);
    }

    private async Task TurnAsync(BackgroundTaskManager manager, SimulatedHost host, CoordinatorModel model, List<ChatMessage> history)
    {
        var client = model.WithBackgroundTasks(manager, ToldWorkload.Thread, new()
        {
            WhenTasksRemain = WhenTasksRemain.Wait,
            OnMessages = kept == KeptHistory.Messages ? (messages, _) => Keep(history, messages) : null,
        });
        var options = new ChatOptions { Tools = [new TimedWork(host.Time).InBackground()] };
        switch (kept)
        {
            case KeptHistory.Responses:
                history.AddMessages(await client.GetResponseAsync(history, options));
                break;
            case KeptHistory.Messages:
                await client.GetResponseAsync([.. history], options);
                break;
            default:
                await foreach (var update in client.GetStreamingResponseAsync([.. history], options))
                {
                    history.AddMessages([update]);
                }

                break;
        }
    }

    private static ValueTask Keep(List<ChatMessage> history, IReadOnlyList<ChatMessage> messages)
    {
        history.AddRange(messages);
        return default;
    }

    private async Task JudgeAsync(SimulatedHost judge, ModelTally tally, List<ChatMessage> history, int seed)
    {
        var all = await judge.RunAsync(async manager => await manager.ListAsync(ToldWorkload.Thread));
        var missed = all.Where(task => !tally.Told.Contains(task.TaskId)).Select(task => task.TaskId).ToList();
        var told = KeptEnds(history);
        Ended += all.Count(task => task.State.IsTerminal());
        Missed += missed.Count;
        NotInHistory += all.Count(task => !told.Contains(task.TaskId));
        IdleCalls += tally.IdleCalls;
        if (missed.Count == 0)
        {
            return;
        }

        SeedsThatMissed.Add(seed);
        if (FailsWhenMissed)
        {
            throw new InvalidOperationException($"The model never heard of the end of {string.Join(", ", missed)}.");
        }
    }

    /// <summary>In what is kept, mail is data of a media type of its own.</summary>
    private static HashSet<string> KeptEnds(List<ChatMessage> history) => ModelTally.EndsIn(history.Select(message => new ChatMessage(
        message.Role, string.Concat(message.Contents.OfType<DataContent>().Select(data => System.Text.Encoding.UTF8.GetString(data.Data.Span))))))
        .ToHashSet(StringComparer.Ordinal);
}
