namespace Coppice.PostgreSql;

/// <summary>Which hosts there are, and whether one is gone with tasks that nobody has settled.</summary>
internal static class HostCheck
{
    // A host beats every three seconds unless its HostTimeout says otherwise, and gives another up after fifteen.
    private static readonly TimeSpan TwoBeats = TimeSpan.FromSeconds(7);

    // A process shows that it lives by a lock of its session; the tasks that a host has stand on its branches.
    private static readonly string Hosts =
        $$"""
        SELECT h.epoch, h.host_id, h.is_open, h.beats, (SELECT count(*) FROM {schema}.branches b WHERE b.host_epoch = h.epoch),
            EXISTS (SELECT 1 FROM pg_locks l WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted
                AND ((l.classid::bigint << 32) | l.objid::bigint) = {{SessionLocks.KeySql("host", "h.epoch")}})
        FROM {schema}.hosts h ORDER BY h.epoch
        """;

    public static async Task RunAsync(Examination store, CancellationToken cancellationToken)
    {
        var hosts = await ReadAsync(store, cancellationToken).ConfigureAwait(false);
        if (hosts.Exists(static host => host is { IsOpen: true, HasProcess: true }))
        {
            hosts = await LookTwiceAsync(store, hosts, cancellationToken).ConfigureAwait(false);
        }

        var alive = hosts.FindAll(static host => host is { IsOpen: true, HasProcess: true });
        var wrong = new List<(string Found, string Advice)>();
        foreach (var host in alive.Where(static host => host.IsSilent))
        {
            wrong.Add((
                $"{Name(host)} has a process that has not beaten for {TwoBeats.TotalSeconds:0} s, with {Tasks(host.Tasks)}",
                "It hangs, is stopped in a debugger, or has no processor: see to it. Another host gives it up after HostTimeout."));
        }

        foreach (var host in hosts.Where(static host => host is { IsOpen: true, HasProcess: false }))
        {
            wrong.Add((
                $"{Name(host)} is gone with {Tasks(host.Tasks)} not settled",
                alive.Count > 0 ? "Another host settles it at its next beat." : "A host that starts settles it: start one."));
        }

        foreach (var host in hosts.Where(static host => host is { IsOpen: false, Tasks: > 0 }))
        {
            wrong.Add(($"{Name(host)} has left with {Tasks(host.Tasks)}", "A host that starts, or one that lives, settles them."));
        }

        store.Judge("hosts", alive.Count == 0 ? "no host is at work, and none has left tasks behind" : Alive(alive), wrong);
    }

    private static string Alive(List<Host> hosts) =>
        (hosts.Count == 1 ? "1 host lives: " : $"{hosts.Count} hosts live: ")
        + string.Join(", ", hosts.Select(static host => $"{Name(host)} with {Tasks(host.Tasks)}"));

    private static async Task<List<Host>> LookTwiceAsync(Examination store, List<Host> before, CancellationToken cancellationToken)
    {
        var beats = before.ToDictionary(static host => host.Epoch, static host => host.Beats);
        var until = TimeProvider.System.GetTimestamp();
        while (true)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System, cancellationToken).ConfigureAwait(false);
            var now = await ReadAsync(store, cancellationToken).ConfigureAwait(false);
            var judged = now.ConvertAll(host => host with { IsSilent = beats.TryGetValue(host.Epoch, out var known) && known == host.Beats });
            if (!judged.Exists(static host => host is { IsOpen: true, HasProcess: true, IsSilent: true })
                || TimeProvider.System.GetElapsedTime(until) > TwoBeats)
            {
                return judged;
            }
        }
    }

    private static async Task<List<Host>> ReadAsync(Examination store, CancellationToken cancellationToken) =>
        (await store.RowsAsync(Hosts, cancellationToken).ConfigureAwait(false)).ConvertAll(static row =>
            new Host((long)row[0]!, (string)row[1]!, (bool)row[2]!, (long)row[3]!, (long)row[4]!, (bool)row[5]!, IsSilent: false));

    private static string Name(Host host) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"host {host.Epoch} ({host.HostId})");

    private static string Tasks(long count) =>
        count == 1 ? "1 task" : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{count} tasks");

    private sealed record Host(long Epoch, string HostId, bool IsOpen, long Beats, long Tasks, bool HasProcess, bool IsSilent);
}
