using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.DependencyInjection;

namespace Coppice.Samples.DurableResearch;

internal sealed record ResearchInput(string Question);

internal sealed record ResearchReport(string Text);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(ResearchInput))]
[JsonSerializable(typeof(ResearchReport))]
[JsonSerializable(typeof(string[]))]
internal sealed partial class ResearchJson : JsonSerializerContext;

/// <summary>Several steps, some side by side, a nap, and a sub-agent: each of them is done once, however often the process dies.</summary>
internal sealed class ResearchTask(Sources sources, Ledger ledger, [FromKeyedServices(Critic.Name)] ChatAgent critic)
    : IBackgroundTask<ResearchInput, ResearchReport>
{
    public static TaskKind<ResearchInput, ResearchReport> Kind { get; } = new(
        "research", ResearchJson.Default.ResearchInput, ResearchJson.Default.ResearchReport)
    {
        Description = "Finds out the answer to a question, and has it criticised.",
        Recovery = RecoveryPolicy.Resumable,
        MaxCrashes = 1_000, // this sample is there to be killed
        RestartIntensity = new RestartIntensity(1_000, TimeSpan.FromMinutes(10)),
    };

    public async Task<ResearchReport> RunAsync(ResearchInput input, DurableTaskContext context)
    {
        ledger.Note($"attempt {context.Attempt}");
        var topics = await context.StepAsync("plan", token => sources.PlanAsync(input.Question, token), ResearchJson.Default.StringArray);
        ledger.Have("plan");

        var findings = await Task.WhenAll(topics.Select(topic => LookUpAsync(topic, context)));

        ledger.Note("naps");
        await context.SleepAsync(TimeSpan.FromSeconds(1));
        ledger.Note("wakes up");

        var verdict = await AskCriticAsync(input, findings, context);
        var text = await context.StepAsync(
            "write", token => sources.WriteAsync(input.Question, findings, verdict, token), ResearchJson.Default.String);
        ledger.Have("write");
        return new ResearchReport(text);
    }

    private async Task<string> LookUpAsync(string topic, DurableTaskContext context)
    {
        // A key tells the steps of a loop apart.
        var finding = await context.StepAsync(
            "look up", token => sources.LookUpAsync(topic, token), ResearchJson.Default.String, new StepOptions { Key = topic });
        ledger.Have($"look up {topic}");
        return finding;
    }

    /// <summary>The critic is a task of its own, spawned once: what its model has answered is kept as steps are.</summary>
    private async Task<string> AskCriticAsync(ResearchInput input, string[] findings, DurableTaskContext context)
    {
        var prompt = $"{input.Question}\n{string.Join('\n', findings)}";
        var task = await context.SpawnAsync("critic", critic.Kind, new ChatAgentInput(prompt), cancellationToken: context.CancellationToken);
        var verdict = await task.ResultAsync(context.CancellationToken);
        ledger.Have("verdict");
        return verdict.ValueKind == JsonValueKind.String ? verdict.GetString()! : verdict.GetRawText();
    }
}
