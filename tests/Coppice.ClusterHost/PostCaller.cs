namespace Coppice.ClusterHost;

/// <summary>Sends numbered messages to threads that all hosts read: each until it was taken, and none before the one before it.</summary>
internal sealed class PostCaller(HostPlan plan, BackgroundTaskManager manager, HostLog log)
{
    internal const int Mailboxes = 2;

    private readonly Random _random = new(plan.Seed + 7_000_001);
    private readonly int[] _sent = new int[Mailboxes];

    internal async Task RunAsync(CancellationToken finish)
    {
        var sender = new MessageSender($"s-{plan.Name}", "caller");
        while (!finish.IsCancellationRequested)
        {
            var box = _random.Next(Mailboxes);
            var number = ++_sent[box];
            var content = $"{plan.Name} {number}";
            var options = new PostOptions { MessageId = $"{plan.Name}-{number}" };
            var receipt = await ClusterMember.PersistAsync(log, async () => await manager.PostAsync($"m{box}", sender, content, options));
            if (receipt.Result == PostResult.Accepted)
            {
                log.Write($"M m{box} {content}");
            }
            else
            {
                _sent[box]--;
            }

            await Pause.For(_random.Next(10, 80), CancellationToken.None);
        }
    }
}
