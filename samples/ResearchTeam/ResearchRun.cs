using Microsoft.Extensions.AI;

namespace Coppice.Samples.ResearchTeam;

/// <summary>One question, from the first call of the coordinator's model to its report.</summary>
internal sealed class ResearchRun(SampleOptions options, TeamModel model, Narration narration)
{
    private const string Thread = "research";

    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(10);

    internal async Task RunAsync(CancellationToken stop)
    {
        using var place = StorePlace.Create(options.StorePath);
        narration.Heading("Question", options.Question);
        narration.Heading("Models", model.Description);
        narration.Heading("Tasks", place.Path);
        await using var store = await SqliteTaskStore.OpenAsync(place.Path, null, stop);
        await using var manager = await BackgroundTaskManager.StartAsync(store, null, stop);
        await using var watch = TaskWatch.Start(manager, narration, stop);

        var report = await AskAsync(manager, stop);

        await watch.SeenEndsAsync(await manager.ListAsync(Thread, stop), stop);
        narration.Report(report);
    }

    private async Task<string> AskAsync(BackgroundTaskManager manager, CancellationToken stop)
    {
        var coordinator = new NarratedChatClient(model.For(Team.Coordinator), narration)
            .WithBackgroundTasks(manager, Thread, new()
            {
                AgentId = Team.Coordinator,
                WhenTasksRemain = WhenTasksRemain.Wait,
                MaxWait = LongestWait,
            });
        var tools = BackgroundTaskTools.For(manager, Thread, new() { AgentId = Team.Coordinator, Agents = [.. Team.Create(model)] });

        var response = await coordinator.GetResponseAsync(
            options.Question, new ChatOptions { Instructions = Team.CoordinatorInstructions, Tools = [.. tools] }, stop);

        // A turn says more than one thing: what it said last is the report.
        return response.Messages.LastOrDefault(message => message.Role == ChatRole.Assistant)?.Text ?? "";
    }
}
