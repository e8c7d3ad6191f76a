using System.Globalization;

namespace Coppice.ClusterHost;

/// <summary>The registered kinds of the cluster. A body writes down when it begins, what it does and how it ends.</summary>
internal sealed class HostKinds
{
    private static readonly RestartIntensity Unlimited = new(1_000_000, TimeSpan.FromMinutes(1));
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(150);

    // Who was to send the rest may be dead.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(8);

    private readonly HostLog _log;

    internal HostKinds(HostLog log, TaskRegistry kinds)
    {
        _log = log;
        kinds.Add(Once, (input, context) => RunAsync(input, context, WorkAsync));
        kinds.Add(Again, (input, context) => RunAsync(input, context, WorkAsync));
        kinds.Add(Steps, (input, context) => RunAsync(input, context, StepAsync));
        kinds.Add(Reader, (input, context) => RunAsync(input, context, ReadAsync));
    }

    internal static TaskKind<WorkInput, string> Once { get; } = new("once", HostJson.Default.WorkInput, HostJson.Default.String)
    {
        Recovery = RecoveryPolicy.Never,
        MaxConcurrency = 6,
        RestartIntensity = Unlimited,
    };

    internal static TaskKind<WorkInput, string> Again { get; } = new("again", HostJson.Default.WorkInput, HostJson.Default.String)
    {
        Recovery = RecoveryPolicy.Idempotent,
        MaxConcurrencyPerThread = 2,
        MaxCrashes = 10_000,
        RestartIntensity = Unlimited,
    };

    internal static TaskKind<WorkInput, string> Steps { get; } = new("steps", HostJson.Default.WorkInput, HostJson.Default.String)
    {
        Recovery = RecoveryPolicy.Resumable,
        MaxCrashes = 10_000,
        RestartIntensity = Unlimited,
    };

    internal static TaskKind<WorkInput, string> Reader { get; } = new("reader", HostJson.Default.WorkInput, HostJson.Default.String)
    {
        Recovery = RecoveryPolicy.Resumable,
        MaxCrashes = 10_000,
        RestartIntensity = Unlimited,
        HasInbox = true,
    };

    private async Task<string> RunAsync(WorkInput input, DurableTaskContext context, Func<WorkInput, DurableTaskContext, Task<string>> body)
    {
        _log.Write($"I {context.TaskId} {context.Attempt}");
        try
        {
            var result = $"{context.Attempt}:{await body(input, context)}";
            _log.Write($"O {context.TaskId} completed {result}");
            return result;
        }
        catch (Exception e)
        {
            _log.Write($"O {context.TaskId} {(e is OperationCanceledException or AttemptLostException ? "stopped" : "failed")} {e.GetType().Name}");
            throw;
        }
    }

    private static async Task<string> WorkAsync(WorkInput input, DurableTaskContext context)
    {
        await Pause.For(input.Steps * input.Pause, context.CancellationToken);
        return Guid.NewGuid().ToString("N");
    }

    private async Task<string> StepAsync(WorkInput input, DurableTaskContext context)
    {
        var receipts = new List<string>();
        for (var step = 0; step < input.Steps; step++)
        {
            var key = step.ToString(CultureInfo.InvariantCulture);
            var receipt = await context.StepAsync("part", async token =>
            {
                await Pause.For(input.Pause, token);
                var paid = Guid.NewGuid().ToString("N");
                _log.Write($"P {context.TaskId} {key} {paid}");
                return paid;
            }, HostJson.Default.String, new StepOptions { Key = key });
            _log.Write($"T {context.TaskId} {key} {receipt}");
            receipts.Add(receipt);
        }

        return string.Join(',', receipts);
    }

    /// <summary>Takes messages in until it has had each, and acknowledges one when what it did about it is stored.</summary>
    private static async Task<string> ReadAsync(WorkInput input, DurableTaskContext context)
    {
        var inbox = context.Agent!.Inbox;
        var had = context.State.Get(HostJson.Default.ListString) ?? [];
        var waited = TimeSpan.Zero;
        while (had.Count < input.Steps && waited < Patience)
        {
            var mail = await inbox.DrainAsync(context.CancellationToken);
            foreach (var item in mail.Where(static item => item.Event is ThreadMessage))
            {
                var content = ((ThreadMessage)item.Event).Content;
                if (!had.Contains(content))
                {
                    had.Add(content);
                    await context.State.SetAsync(had, HostJson.Default.ListString);
                }

                await inbox.AckAsync(item.Sequence, context.CancellationToken);
            }

            waited = mail.Count > 0 ? TimeSpan.Zero : waited + Look;
            await Pause.For(Look.TotalMilliseconds, context.CancellationToken);
        }

        return string.Join(',', had);
    }
}
