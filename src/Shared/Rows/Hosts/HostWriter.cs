namespace Coppice.Rows;

/// <summary>Lets hosts join and leave, and settles those that are gone.</summary>
internal sealed class HostWriter(BatchContext context, MailPost post, WorkWriter work)
{
    public MutationAnswer Write(JoinHost join)
    {
        if (!context.Applying)
        {
            return NotApplied.Instance;
        }

        var hosts = context.Hosts;
        var fence = new HostFence(join.HostId, context.Numbers.NextEpoch());
        var settled = new Settled([], []);
        foreach (var gone in hosts.Gone())
        {
            SettleAll(gone, wasOpen: true, settled);
        }

        foreach (var epoch in context.Tasks.Holders())
        {
            if (!hosts.IsOpen(epoch))
            {
                Settle(epoch, settled);
            }
        }

        foreach (var epoch in context.Outbox.Claimants())
        {
            if (!hosts.IsOpen(epoch))
            {
                context.Outbox.Release(epoch, context.Time);
            }
        }

        foreach (var epoch in hosts.Left())
        {
            hosts.Forget(epoch);
        }

        hosts.Join(fence);
        return new HostJoined(fence, settled.Orphans) { Recovered = settled.Recovered };
    }

    public MutationAnswer Write(SettleHost settle)
    {
        if (!context.Applying)
        {
            return NotApplied.Instance;
        }

        var hosts = context.Hosts;
        if (!hosts.IsKnown(settle.Fence))
        {
            return new HostSettled([]);
        }

        var settled = new Settled([], []);
        SettleAll(settle.Fence, hosts.IsOpen(settle.Fence), settled);
        return new HostSettled(settled.Orphans) { Recovered = settled.Recovered };
    }

    public MutationAnswer Write(LeaveHost _)
    {
        if (!context.Applying)
        {
            return NotApplied.Instance;
        }

        var fence = context.Batch.Host;
        if (context.Tasks.HoldsAny(fence.Epoch))
        {
            context.Hosts.Leave(fence);
        }
        else
        {
            context.Hosts.Forget(fence.Epoch);
        }

        context.Outbox.Release(fence.Epoch, context.Time);
        Close(fence);
        return HostLeft.Instance;
    }

    private void SettleAll(HostFence fence, bool wasOpen, Settled settled)
    {
        context.Hosts.Forget(fence.Epoch);
        context.Outbox.Release(fence.Epoch, context.Time);
        Settle(fence.Epoch, settled);
        if (wasOpen)
        {
            Close(fence);
        }
    }

    private void Settle(long epoch, Settled settled)
    {
        var kinds = new SortedSet<long>();
        foreach (var number in context.Tasks.HeldBy(epoch))
        {
            var task = context.Tasks.Head(number)!.Value;
            if (task.Kind is { } kind)
            {
                kinds.Add(kind);
            }

            (work.TryRecover(task) ? settled.Recovered : settled.Orphans).Add(context.Ids.IdOf(number));
        }

        foreach (var kind in kinds)
        {
            context.Kinds.AddCrash(kind, context.Time, epoch);
        }
    }

    private void Close(HostFence fence)
    {
        foreach (var reader in context.Mailboxes.OfHost(fence.Epoch))
        {
            post.Close(reader);
        }

        context.Notices.Add(new Notice.HostFenced(fence));
    }

    private readonly record struct Settled(List<string> Orphans, List<string> Recovered);
}
