using System.Diagnostics;
using System.Globalization;

namespace Coppice.Workloads;

/// <summary>
/// How long it takes from one host to another while both are under half load: a cancel, from the call until the body over there sees it;
/// a message, from the call until the agent over there has read it; mail, from the end of a body here until the reader over there has its
/// terminal event. Half load is half of what both do at once in the same run when nothing else is asked of them.
/// </summary>
internal static class AcrossHostsWorkload
{
    private const string MailThread = "mail-over-there";
    private const string AgentThread = "agents-over-there";
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(20);

    internal static async Task<Figures> RunAsync(Parameters parameters)
    {
        var probes = parameters.Int("probes", 300);
        var span = TimeSpan.FromSeconds(parameters.Number("seconds", 3));
        await using var schema = await PostgresSchema.CreateAsync(parameters);
        await using var store = await schema.OpenAsync();
        await using var manager = await BackgroundTaskManager.StartAsync(store);
        using var other = HostChild.Start("answer", $"schema={schema.Name}");
        var agent = (await other.HearAsync("ready"))[0];

        // The first time is for the compiler.
        await FullAsync(manager, other, span);
        var (ours, theirs) = await FullAsync(manager, other, span);

        using var enough = new CancellationTokenSource();
        await other.TellAsync($"load {theirs / 2}");
        var load = new HostLoad(manager, "here").PacedAsync(ours / 2, enough.Token);
        var figures = new Figures();
        await ProbeAsync("cancel", () => CancelAsync(manager, other));
        await ProbeAsync("message", () => SendAsync(manager, other, agent));
        await ProbeAsync("mail", () => EndAsync(manager, other));
        await enough.CancelAsync();
        await other.TellAsync($"enough");
        figures["full_per_second"] = ours + theirs;
        figures["load_per_second"] = await load + await other.HearNumberAsync("rate");
        await other.EndAsync();
        return figures;

        async Task ProbeAsync(string what, Func<Task<double>> probeAsync)
        {
            var times = new List<double>();
            for (var probe = -probes / 10; probe < probes; probe++)
            {
                // Apart from each other, and from what comes at even times.
                await Task.Delay(TimeSpan.FromMilliseconds(5 + Random.Shared.Next(10)), TimeProvider.System);
                var time = await probeAsync();
                if (probe >= 0)
                {
                    times.Add(time);
                }
            }

            times.Sort();
            figures[what + "_p50_ms"] = times[times.Count / 2];
            figures[what + "_p99_ms"] = times[times.Count * 99 / 100];
        }
    }

    /// <summary>The other host.</summary>
    internal static async Task AnswerAsync(Parameters parameters)
    {
        await using var schema = PostgresSchema.Of(parameters);
        await using var store = await schema.OpenAsync();
        await using var manager = await BackgroundTaskManager.StartAsync(store);
        await using var inbox = await manager.OpenInboxAsync(MailThread);
        var agent = await manager.SpawnAgentAsync(AgentThread, async context =>
        {
            await SayWhatComesAsync("message", context.Inbox, context.CancellationToken);
            return TaskOutcome.Cancelled;
        });
        using var end = new CancellationTokenSource();
        var reader = SayWhatComesAsync("mail", inbox, end.Token);
        HostRoles.Say($"ready {agent}");

        var load = new HostLoad(manager, "there");
        var paced = Task.FromResult(0.0);
        using var enough = new CancellationTokenSource();
        while (await HostRoles.HearAsync() is { } told)
        {
            switch (told[0])
            {
                case "full":
                    HostRoles.Say($"rate {await load.FullAsync(TimeSpan.FromSeconds(double.Parse(told[1], CultureInfo.InvariantCulture)))}");
                    break;
                case "load":
                    paced = load.PacedAsync(double.Parse(told[1], CultureInfo.InvariantCulture), enough.Token);
                    break;
                case "enough":
                    await enough.CancelAsync();
                    HostRoles.Say($"rate {await paced}");
                    break;
                case "park":
                    var task = await manager.SpawnAsync("parked-over-there", static async context =>
                    {
                        await context.WhenCancelledAsync();
                        HostRoles.Say($"cancelled {Stopwatch.GetTimestamp()}");
                        return TaskOutcome.Cancelled;
                    });
                    HostRoles.Say($"parked {task}");
                    break;
                default:
                    throw new InvalidOperationException($"'{told[0]}' is nothing that this host does.");
            }
        }

        await end.CancelAsync();
        await reader;
    }

    private static async Task<(double Ours, double Theirs)> FullAsync(BackgroundTaskManager manager, HostChild other, TimeSpan span)
    {
        await other.TellAsync($"full {span.TotalSeconds}");
        var ours = await new HostLoad(manager, "here").FullAsync(span);
        return (ours, await other.HearNumberAsync("rate"));
    }

    private static async Task<double> CancelAsync(BackgroundTaskManager manager, HostChild other)
    {
        await other.TellAsync($"park");
        var task = (await other.HearAsync("parked"))[0];
        var start = Stopwatch.GetTimestamp();
        await manager.CancelAsync(task);
        return await SinceAsync(start, other, "cancelled");
    }

    private static async Task<double> SendAsync(BackgroundTaskManager manager, HostChild other, string agent)
    {
        var start = Stopwatch.GetTimestamp();
        var receipt = await manager.SendAsync(agent, new MessageSender(AgentThread, "probe"), "ping");
        return receipt.Result == SendResult.Delivered
            ? await SinceAsync(start, other, "message")
            : throw new InvalidOperationException($"A message was not delivered: {receipt}.");
    }

    private static async Task<double> EndAsync(BackgroundTaskManager manager, HostChild other)
    {
        var start = 0L;
        await manager.SpawnAsync(MailThread, _ =>
        {
            start = Stopwatch.GetTimestamp();
            return Task.CompletedTask;
        });
        var seen = await other.HearAsync("mail", Longest);
        return Milliseconds(start, seen);
    }

    private static async Task<double> SinceAsync(long start, HostChild other, string word) =>
        Milliseconds(start, await other.HearAsync(word, Longest));

    // The clock is the same in all processes of a machine.
    private static double Milliseconds(long start, string[] seen) =>
        Stopwatch.GetElapsedTime(start, long.Parse(seen[0], CultureInfo.InvariantCulture)).TotalMilliseconds;

    private static async Task SayWhatComesAsync(string word, Inbox inbox, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var item in inbox.ReadAllAsync(cancellationToken))
            {
                HostRoles.Say($"{word} {Stopwatch.GetTimestamp()}");
                await inbox.AckAsync(item.Sequence, cancellationToken);
            }
        }
        catch (OperationCanceledException)
        {
            // It is over.
        }
    }
}
