namespace Coppice.Sqlite;

/// <summary>Lets hosts join and leave, and settles those that are gone.</summary>
internal sealed class HostWriter(BatchContext context, MailPost post, FinishWriter finish)
{
    public MutationAnswer Write(JoinHost join)
    {
        if (!context.Applying)
        {
            return NotApplied.Instance;
        }

        var hosts = context.State.Hosts;
        var fence = new HostFence(join.HostId, context.Counters.NextEpoch++);
        var orphans = finish.Orphan(context.Session.Tasks.LiveOfHosts(epoch => !hosts.IsOpen(epoch)));
        foreach (var epoch in context.Session.Outbox.Claimants())
        {
            if (!hosts.IsOpen(epoch))
            {
                context.Session.Outbox.Release(epoch, context.Time);
            }
        }

        foreach (var epoch in hosts.Left())
        {
            hosts.Forget(epoch);
        }

        hosts.Join(fence);
        return new HostJoined(fence, orphans);
    }

    public MutationAnswer Write(SettleHost settle)
    {
        if (!context.Applying)
        {
            return NotApplied.Instance;
        }

        var hosts = context.State.Hosts;
        if (!hosts.IsKnown(settle.Fence))
        {
            return new HostSettled([]);
        }

        var wasOpen = hosts.IsOpen(settle.Fence);
        hosts.Forget(settle.Fence.Epoch);
        context.Session.Outbox.Release(settle.Fence.Epoch, context.Time);
        var orphans = finish.Orphan(context.Session.Tasks.LiveOfHosts(epoch => epoch == settle.Fence.Epoch));
        if (wasOpen)
        {
            Close(settle.Fence);
        }

        return new HostSettled(orphans);
    }

    public MutationAnswer Write(LeaveHost _)
    {
        if (!context.Applying)
        {
            return NotApplied.Instance;
        }

        var fence = context.Batch.Host;
        if (context.Session.Tasks.LiveOfHosts(epoch => epoch == fence.Epoch).Count > 0)
        {
            context.State.Hosts.Leave(fence);
        }
        else
        {
            context.State.Hosts.Forget(fence.Epoch);
        }

        context.Session.Outbox.Release(fence.Epoch, context.Time);
        Close(fence);
        return HostLeft.Instance;
    }

    private void Close(HostFence fence)
    {
        foreach (var (threadId, mailbox) in context.State.Mailboxes.OfHost(fence.Epoch))
        {
            post.Close(threadId, mailbox);
        }

        context.Notices.Add(new Notice.HostFenced(fence));
    }
}
