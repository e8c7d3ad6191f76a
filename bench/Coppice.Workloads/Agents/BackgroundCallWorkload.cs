using System.Diagnostics;
using Microsoft.Extensions.AI;

namespace Coppice.Workloads;

/// <summary>What a call costs its caller, by itself and in the background, until the answer has come: the result, or the task's id.</summary>
internal static class BackgroundCallWorkload
{
    internal static async Task<Figures> RunAsync(Parameters parameters)
    {
        var calls = parameters.Int("calls", 50_000);
        await using var store = new InMemoryTaskStore();
        await using var manager = await BackgroundTaskManager.StartAsync(store);
        var function = new Answer();
        var called = parameters.Text("how") == "background" ? function.InBackground(manager, "thread") : (AIFunction)function;
        await WarmUp.RunAsync(parameters.Int("warmup", 1500), () => MeasureAsync(called, manager, Math.Min(calls, 5000)));
        return new Figures { ["us"] = await MeasureAsync(called, manager, calls) };
    }

    private static async Task<double> MeasureAsync(AIFunction function, BackgroundTaskManager manager, int calls)
    {
        var start = Stopwatch.GetTimestamp();
        for (var call = 0; call < calls; call++)
        {
            await function.InvokeAsync(new AIFunctionArguments { ["question"] = "what is coppicing?", ["page"] = 3 });
        }

        var time = Stopwatch.GetElapsedTime(start);
        while (await manager.HasRunningAsync("thread"))
        {
            await Task.Yield();
        }

        return time.TotalMicroseconds / calls;
    }

    private sealed class Answer : AIFunction
    {
        private const string Text = "Cut a tree down, and it grows back from the root.";

        public override string Name => "answer";

        protected override ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken) => new(Text);
    }
}
