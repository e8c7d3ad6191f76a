namespace Coppice.ClusterHost;

/// <summary>Reads the threads that all hosts read, one after the other, until another host takes the reading over.</summary>
internal sealed class MailCaller(HostPlan plan, BackgroundTaskManager manager, HostLog log)
{
    private const int Look = 80;

    private readonly Random _random = new(plan.Seed + 11_000_003);
    private int _opened;

    internal async Task RunAsync(CancellationToken finish)
    {
        while (!finish.IsCancellationRequested)
        {
            try
            {
                await ReadAsync($"m{_random.Next(PostCaller.Mailboxes)}", $"{plan.Name}.{++_opened}", finish);
            }
            catch (InboxTakenOverException)
            {
                log.Write($"L taken_over");
            }
            catch (TaskStoreException e)
            {
                ClusterMember.Fault(log, e);
            }

            await Pause.For(Look, CancellationToken.None);
        }
    }

    private async Task ReadAsync(string thread, string reader, CancellationToken finish)
    {
        log.Write($"Y {thread} {reader}");
        await using var inbox = await manager.OpenInboxAsync(thread, CancellationToken.None);
        for (var looks = _random.Next(2, 25); looks > 0 && !finish.IsCancellationRequested; looks--)
        {
            var mail = await inbox.DrainAsync(CancellationToken.None);
            foreach (var item in mail)
            {
                log.Write($"R {thread} {reader} {item.Sequence} {((ThreadMessage)item.Event).Content}");
            }

            if (mail.Count > 0 && _random.Next(3) > 0)
            {
                var through = mail[_random.Next(mail.Count)].Sequence;
                await inbox.AckAsync(through, CancellationToken.None);
                log.Write($"A {thread} {reader} {through}");
            }

            await Pause.For(Look, CancellationToken.None);
        }
    }
}
