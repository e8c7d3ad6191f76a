using System.Globalization;

namespace Coppice.CrashChild;

/// <summary>The kinds of the random durable work. Each body says when it enters and leaves, and pays for all that it does.</summary>
internal sealed class WorkKinds
{
    private static readonly RestartIntensity Unlimited = new(1_000_000, TimeSpan.FromMinutes(1));

    private readonly PaidLog _log;

    internal WorkKinds(PaidLog log, TaskRegistry kinds)
    {
        _log = log;
        foreach (var kind in All)
        {
            kinds.Add(kind, WorkAsync);
        }
    }

    internal static IReadOnlyList<TaskKind<WorkInput, string>> All { get; } =
    [
        new("steps") { Recovery = RecoveryPolicy.Resumable, MaxConcurrency = 8, MaxConcurrencyPerThread = 2, MaxCrashes = 1_000, RestartIntensity = Unlimited },
        new("retried")
        {
            Recovery = RecoveryPolicy.Idempotent,
            Retry = new RetryPolicy { MaxRetryAttempts = 2, Delay = TimeSpan.FromMilliseconds(20), BackoffType = Polly.DelayBackoffType.Constant, UseJitter = false },
            MaxConcurrency = 5,
            MaxCrashes = 1_000,
            RestartIntensity = Unlimited,
        },
        new("fragile") { Recovery = RecoveryPolicy.Idempotent, MaxConcurrencyPerThread = 1, MaxCrashes = 2, RestartIntensity = Unlimited },
        new("once") { Recovery = RecoveryPolicy.Never, MaxConcurrency = 3, RestartIntensity = Unlimited },
        new("calm") { Recovery = RecoveryPolicy.Resumable, MaxCrashes = 1_000, RestartIntensity = new(2, TimeSpan.FromMilliseconds(1_500)) },
    ];

    private async Task<string> WorkAsync(WorkInput input, DurableTaskContext context)
    {
        var work = (await context.Manager.GetAsync(context.TaskId))!.Work!;
        _log.Write($"I {context.TaskId} {work.Kind} {context.OwnerThreadId} {context.Attempt} {Now(context)}");
        var end = "ok";
        try
        {
            var receipts = new string[input.Steps];
            for (var step = 0; step < input.Steps; step++)
            {
                var key = step.ToString(CultureInfo.InvariantCulture);
                receipts[step] = await context.StepAsync("part", async token =>
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(input.Pause), context.Manager.TimeProvider, token);
                    return _log.Pay(context, "part", key);
                }, new StepOptions { Key = key });
            }

            return work.Failures >= input.Fails ? string.Join(' ', receipts) : throw new InvalidOperationException("as asked");
        }
        catch (Exception e)
        {
            end = e is OperationCanceledException ? "cancelled" : "failed";
            throw;
        }
        finally
        {
            _log.Write($"O {context.TaskId} {work.Kind} {context.OwnerThreadId} {end} {Now(context)}");
        }
    }

    private static long Now(DurableTaskContext context) => context.Manager.TimeProvider.GetUtcNow().ToUnixTimeMilliseconds();
}
