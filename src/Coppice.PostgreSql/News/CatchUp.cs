using Microsoft.Extensions.Logging;

namespace Coppice.PostgreSql;

/// <summary>
/// Tells listeners what they have to hear and may not have heard, as the tables show it. It costs in proportion to what is live in this process and to the
/// kinds of work, and is harmless where nothing was missed.
/// </summary>
internal sealed class CatchUp(StoreReader reader, StoreMemory memory, Listeners listeners, ILogger logger)
{
    public async Task RunAsync(CancellationToken stop)
    {
        listeners.Tell(new Notice.EndsMissed());
        var epochs = memory.Hosts.Epochs;
        if (epochs.Length == 0)
        {
            return;
        }

        var (hosts, mailboxes) = (0, 0);
        foreach (var closed in await reader.FindClosedAsync(epochs, stop).ConfigureAwait(false))
        {
            if (memory.Hosts.Left(closed) is { } fence)
            {
                hosts++;
                listeners.Tell(new Notice.HostFenced(fence));
            }
        }

        foreach (var (task, epoch) in await reader.FindCancelledAsync(epochs, stop).ConfigureAwait(false))
        {
            listeners.Tell(new Notice.CancelRequested(task, epoch));
        }

        foreach (var (thread, wakes) in await reader.FindUnreadAsync(epochs, stop).ConfigureAwait(false))
        {
            listeners.Tell(new Notice.Mail(thread, wakes, HasReader: true));
        }

        var readers = memory.Readers.All();
        foreach (var taken in await reader.FindTakenOverAsync(readers, memory.Channel.Process, stop).ConfigureAwait(false))
        {
            mailboxes++;
            taken.Tell(memory.Readers, listeners);
        }

        NewsMetrics.Found(hosts + mailboxes);
        if (hosts + mailboxes > 0)
        {
            Log.FoundByLooking(logger, hosts, mailboxes);
        }

        foreach (var (kind, at) in await reader.FindWorkAsync(stop).ConfigureAwait(false))
        {
            listeners.Tell(new Notice.Work(kind, at));
        }
    }

    /// <summary>
    /// A call for mail that nobody reads may have been lost, with a host or with news: of the threads with such mail, those are told of whose turn is with this
    /// process, among all who handle it.
    /// </summary>
    public async Task TellUnreadAsync(CancellationToken stop)
    {
        if (!listeners.HandleUnreadMail)
        {
            return;
        }

        var handlers = await reader.FindUnreadHandlersAsync(stop).ConfigureAwait(false);
        foreach (var thread in await reader.ListThreadsWithUnreadMailAsync(stop).ConfigureAwait(false))
        {
            if (Rendezvous.Choose(thread, handlers) is { } epoch && memory.Hosts.Has(epoch))
            {
                listeners.Tell(new Notice.MailLeftUnread(thread));
            }
        }
    }
}
