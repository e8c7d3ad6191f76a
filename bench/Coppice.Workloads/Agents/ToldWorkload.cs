using Coppice.Testing;
using Microsoft.Extensions.AI;

namespace Coppice.Workloads;

/// <summary>
/// One coordinator and twenty background tasks of one to sixty seconds, in simulated time: what the model is called for and sent, when it is told
/// and when it polls. Counts are exact, and the same seeds give the same ones.
/// </summary>
internal static class ToldWorkload
{
    internal const string Thread = "chat-1";
    internal const string Question = "Crawl these sites and tell me what is new.";

    /// <summary>With the chat client, which waits for the tasks and tells their ends.</summary>
    internal static Task<Figures> RunAsync(Parameters parameters) => MeasureAsync(parameters, (manager, time, seconds, tally) =>
    {
        var model = new CoordinatorModel(time, seconds, tally);
        var client = model.WithBackgroundTasks(manager, Thread, new() { WhenTasksRemain = WhenTasksRemain.Wait });
        return client.GetResponseAsync(Question, new ChatOptions { Tools = [new TimedWork(time).InBackground()] });
    });

    /// <summary>With a model that polls.</summary>
    internal static Task<Figures> PollAsync(Parameters parameters) => MeasureAsync(parameters, (manager, time, seconds, tally) =>
    {
        var model = new CoordinatorModel(time, seconds, tally, polls: true);
        return PollingLoop.RunAsync(
            model, Question, [new TimedWork(time).InBackground(manager, Thread), .. BackgroundTaskTools.For(manager, Thread)]);
    });

    private static async Task<Figures> MeasureAsync(
        Parameters parameters, Func<BackgroundTaskManager, TimeProvider, IReadOnlyList<int>, ModelTally, Task> work)
    {
        var tasks = parameters.Int("tasks", 20);
        var tallies = new List<ModelTally>();
        var batches = 0;
        await Simulation.ExploreAsync(RunAsync, new SimulationOptions
        {
            Histories = parameters.Int("histories", 50), FirstSeed = parameters.Int("seed", 1), Faults = SimulationFaults.None,
        });
        return new Figures
        {
            ["calls"] = tallies.Average(tally => tally.Calls),
            ["idle_calls"] = tallies.Average(tally => tally.IdleCalls),
            ["characters"] = tallies.Average(tally => tally.Characters),
            ["calls_a_batch"] = tallies.Sum(tally => tally.MailCalls) / (double)batches,
        };

        async Task RunAsync(SimulationWorld world)
        {
            var tally = new ModelTally();
            var seconds = Enumerable.Range(0, tasks).Select(_ => 1 + world.Choose(60)).ToList();
            var host = await world.StartHostAsync("host");
            await host.RunAsync(manager => work(manager, host.Time, seconds, tally));
            tallies.Add(tally);
            var ended = await host.RunAsync(async manager => await manager.ListAsync(Thread));
            batches += ended.Select(task => task.CompletedAt).Distinct().Count();
        }
    }
}
