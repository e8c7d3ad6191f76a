using System.Text.Json.Serialization;

namespace Coppice.Workloads;

/// <summary>The kinds of task that measurements run.</summary>
internal static class DurableKinds
{
    /// <summary>What tasks get and give back where it does not matter.</summary>
    internal const int Value = 1234;

    /// <summary>Gives its input back at once.</summary>
    internal static readonly TaskKind<int, int> Echo = new("echo", DurableJson.Default.Int32, DurableJson.Default.Int32);

    /// <summary>Keeps steps.</summary>
    internal static readonly TaskKind<int, int> Stepping = new("stepping", DurableJson.Default.Int32, DurableJson.Default.Int32)
    {
        Recovery = RecoveryPolicy.Resumable,
    };

    /// <summary>A host's options, with a kind and as many attempts at once as there are callers, or a hundred.</summary>
    internal static BackgroundTaskOptions Options(TaskKind<int, int> kind, Func<int, DurableTaskContext, Task<int>> run, int callers = 1)
    {
        var options = new BackgroundTaskOptions();
        options.MaxConcurrentAttempts = Math.Max(options.MaxConcurrentAttempts, callers);
        options.Tasks.Add(kind, run);
        return options;
    }

    internal static BackgroundTaskOptions EchoOptions(int callers = 1) => Options(Echo, static (input, _) => Task.FromResult(input), callers);
}

/// <summary>The JSON of inputs and results.</summary>
[JsonSerializable(typeof(int))]
internal sealed partial class DurableJson : JsonSerializerContext;
