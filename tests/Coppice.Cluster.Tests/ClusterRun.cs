using System.Diagnostics;
using System.Globalization;

namespace Coppice.Cluster.Tests;

/// <summary>
/// Several hosts on one database, under faults that come by chance from a seed: which fault, to whom, for how long. At the end the faults cease, the
/// hosts finish, and all that was begun has to end.
/// </summary>
internal sealed class ClusterRun : IAsyncDisposable
{
    internal const string Schema = "coppice";

    private const string Tasks = $"SELECT count(*) FROM {Schema}.tasks";

    private static readonly TimeSpan HostTimeout = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan EndsWithin = TimeSpan.FromSeconds(90);
    private static readonly int[] SkewMinutes = [0, 60, -60, 1];

    private readonly ClusterServer? _standby;
    private readonly Random _random;
    private readonly string _folder;
    private readonly Slot[] _slots;
    private readonly ClusterServer[] _servers;
    private readonly List<string> _logs = [];
    private readonly List<TaskSnapshot> _seen = [];
    private readonly SortedDictionary<string, int> _faults = new(StringComparer.Ordinal);
    private ClusterServer _server;
    private int _processes;

    private ClusterRun(ClusterServer server, ClusterServer? standby, int seed, int hosts)
    {
        (_server, _standby, _random) = (server, standby, new Random(seed));
        _folder = Directory.CreateTempSubdirectory("coppice-cluster-").FullName;
        _slots = [.. Enumerable.Range(0, hosts).Select(number => new Slot(
            number, new ClusterServer?[] { server, standby }.OfType<ClusterServer>().Select(static each => new FaultProxy(each.Port)).ToList(), TimeSpan.FromMinutes(SkewMinutes[number % SkewMinutes.Length])))];
        _servers = [server, .. standby is null ? [] : new[] { standby }];
    }

    /// <summary>Starts the servers and the hosts.</summary>
    /// <param name="seed">Where chance begins.</param>
    /// <param name="hosts">How many.</param>
    /// <param name="withStandby">Whether a standby confirms each commit, and takes over half-way, when the primary is killed.</param>
    internal static async Task<ClusterRun> StartAsync(int seed, int hosts, bool withStandby = false)
    {
        var server = await ClusterServer.StartAsync();
        var run = new ClusterRun(server, withStandby ? await server.StartStandbyAsync() : null, seed, hosts);
        foreach (var slot in run._slots)
        {
            run.Begin(slot);
        }

        await Task.WhenAll(run._slots.Select(static slot => slot.Process!.ReadyAsync()));
        return run;
    }

    internal string Folder => _folder;

    /// <summary>Gets what was done, and what came of it, for a report.</summary>
    internal string Summary { get; private set; } = "";

    /// <summary>Lets faults happen for a while, then lets everything come to its end.</summary>
    internal async Task<IReadOnlyList<string>> RunAsync(TimeSpan length, CancellationToken stop)
    {
        var began = Stopwatch.GetTimestamp();
        var (restarts, looks) = (0, 0);
        await WorkAsync(stop);
        while (Stopwatch.GetElapsedTime(began) is var elapsed && elapsed < length)
        {
            stop.ThrowIfCancellationRequested();
            await PauseAsync(_random.Next(200, 1_200));

            // A restart touches everybody, so it comes twice, and in a long run every minute or so.
            if (_standby is not null && _server != _standby && elapsed > length / 2)
            {
                await FailOverAsync(_standby);
                await WorkAsync(stop);
            }
            else if (_standby is null && elapsed > length * (restarts + 1) / (2 + (int)length.TotalMinutes))
            {
                restarts++;
                await RestartDatabaseAsync(immediately: restarts % 2 == 1);
                await WorkAsync(stop);
            }
            else
            {
                await FaultAsync(_slots[_random.Next(_slots.Length)]);
            }

            if (elapsed > TimeSpan.FromSeconds(15) * (looks + 1))
            {
                looks++;
                await LookAsync();
                StoreContract.LongRun.Progress($"{elapsed.TotalSeconds:0} s: {string.Join(", ", _faults.Select(static fault => FormattableString.Invariant($"{fault.Value} {fault.Key}")))}; {_seen.Count} tasks seen to have ended");
            }
        }

        return await EndAsync(stop);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var slot in _slots)
        {
            slot.Process?.Dispose();
            await slot.DisposeAsync();
        }

        foreach (var server in _servers)
        {
            await server.DisposeAsync();
        }
    }

    private static Task PauseAsync(double milliseconds) => Task.Delay(TimeSpan.FromMilliseconds(milliseconds), TimeProvider.System);

    private void Begin(Slot slot)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"h{slot.Number}-{++_processes}");
        slot.Process = new HostProcess(name, _folder, _random.Next(), slot.Skew, HostTimeout, _server.Through(slot.Ports), Schema);
        _logs.Add(slot.Process.LogPath);
    }

    private async Task FaultAsync(Slot slot)
    {
        if (slot.Trouble is { IsCompleted: false })
        {
            return;
        }

        var longest = HostTimeout.TotalMilliseconds * 2;
        switch (_random.Next(12))
        {
            case < 3:
                Count("SIGKILL");
                await slot.Process!.KillAsync();
                slot.Trouble = AfterAsync(_random.Next(1_500), () => Begin(slot));
                break;
            case < 5:
                Count("SIGSTOP");
                var stopped = slot.Process!;
                stopped.Stop();
                slot.Trouble = AfterAsync(_random.Next(200, (int)longest), stopped.Continue);
                break;
            case < 7:
                Count("cut");
                slot.Cut();
                slot.Trouble = AfterAsync(_random.Next(1_500), slot.Restore);
                break;
            case < 9:
                Count("silence");
                slot.Silence();
                var ends = _random.Next(2) == 0;
                slot.Trouble = AfterAsync(_random.Next(200, (int)longest), () =>
                {
                    if (ends)
                    {
                        slot.Cut();
                    }

                    slot.Restore();
                });
                break;
            case < 10:
                Count("slow network");
                slot.Slow(_random.Next(2, 40));
                slot.Trouble = AfterAsync(_random.Next(500, 3_000), slot.Restore);
                break;
            default:
                Count("pg_terminate_backend");
                await _server.ExecuteAsync($"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'coppice' ORDER BY random() LIMIT {_random.Next(1, 6)}");
                break;
        }
    }

    private async Task RestartDatabaseAsync(bool immediately)
    {
        Count(immediately ? "crash of the database" : "restart of the database");
        await _server.RestartAsync(immediately);
    }

    private async Task FailOverAsync(ClusterServer standby)
    {
        Count("failover");
        await _server.KillAsync();
        await standby.PromoteAsync();
        _server = standby;
    }

    private static async Task AfterAsync(int milliseconds, Action act)
    {
        await PauseAsync(milliseconds);
        act();
    }

    private void Count(string fault) => _faults[fault] = _faults.GetValueOrDefault(fault) + 1;

    /// <summary>Notes what has ended, which is never to change.</summary>
    private async Task LookAsync()
    {
        await using var store = await PostgreSqlTaskStore.OpenAsync(_server.ConnectionString, new PostgreSqlTaskStoreOptions { Schema = Schema });
        var known = _seen.Select(static task => task.TaskId).ToHashSet();
        _seen.AddRange((await ClusterEnd.ListAsync(store)).Where(task => task.State.IsTerminal() && !known.Contains(task.TaskId)));
    }

    private async Task<IReadOnlyList<string>> EndAsync(CancellationToken stop)
    {
        foreach (var slot in _slots)
        {
            await (slot.Trouble ?? Task.CompletedTask);
            slot.Restore();
        }

        await Task.WhenAll(_slots.Select(static slot => slot.Process!.ReadyAsync()));
        await Task.WhenAll(_slots.Select(static slot => slot.Process!.FinishAsync()));
        var ended = await AllEndedAsync(stop);
        await LookAsync();
        await Task.WhenAll(_slots.Select(static slot => slot.Process!.ExitAsync()));
        var history = HostHistory.Read(_logs);
        var end = await ClusterEnd.ReadAsync(_server.ConnectionString, Schema, _seen);
        var orphans = end.Tasks.Values.Count(static task => task.Error?.StartsWith("task orphaned", StringComparison.Ordinal) == true);
        Summary = string.Create(CultureInfo.InvariantCulture, $"""
            {_slots.Length} hosts in {_processes} processes; {string.Join(", ", _faults.Select(static fault => FormattableString.Invariant($"{fault.Value} {fault.Key}")))}
            {end.Tasks.Count} tasks, {orphans} of them orphans, {end.Tasks.Values.Sum(static task => task.Work?.Crashes ?? 0)} attempts lost with their host; {history["M"].Count()} messages acknowledged, {history["R"].Count()} reads, {history["A"].Count()} acknowledgements; {history["F"].Count()} faults told, {history["L"].Count(static line => line[0] == "DuplicateName")} names refused
            """);
        var broken = ClusterLaws.Check(history, end).ToList();
        if (!ended)
        {
            broken.Insert(0, $"not all has ended within {EndsWithin.TotalSeconds} s of the last fault");
        }

        return broken;
    }

    /// <summary>Waits until the hosts get on with their work: what hits idle hosts shows nothing.</summary>
    private async Task WorkAsync(CancellationToken stop)
    {
        var before = await _server.QueryAsync<long>(Tasks);
        for (var began = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(began) < EndsWithin; await PauseAsync(50))
        {
            stop.ThrowIfCancellationRequested();
            if (await _server.QueryAsync<long>(Tasks) >= before + 20)
            {
                return;
            }
        }

        throw new InvalidOperationException($"The hosts spawned fewer than 20 tasks within {EndsWithin.TotalSeconds} s; their logs are in {_folder}.");
    }

    /// <summary>Waits until no task is live any more: nothing of a dead host is left to settle, and nothing waits.</summary>
    private async Task<bool> AllEndedAsync(CancellationToken stop)
    {
        for (var began = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(began) < EndsWithin; await PauseAsync(100))
        {
            stop.ThrowIfCancellationRequested();
            if (await _server.QueryAsync<long>($"SELECT count(*) FROM {Schema}.tasks WHERE state < 3") == 0)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>A host's place, which it keeps when a new process comes in: its network, its clock, and what it suffers from.</summary>
    private sealed class Slot(int number, IReadOnlyList<FaultProxy> networks, TimeSpan skew) : IAsyncDisposable
    {
        internal int Number => number;

        internal int[] Ports => [.. networks.Select(static network => network.Port)];

        internal TimeSpan Skew => skew;

        internal HostProcess? Process { get; set; }

        internal Task? Trouble { get; set; }

        internal void Cut() => Each(static network => network.Cut());

        internal void Silence() => Each(static network => network.Silence());

        internal void Slow(int milliseconds) => Each(network => network.Slow(milliseconds));

        internal void Restore() => Each(static network => network.Restore());

        public async ValueTask DisposeAsync()
        {
            foreach (var network in networks)
            {
                await network.DisposeAsync();
            }
        }

        private void Each(Action<FaultProxy> act)
        {
            foreach (var network in networks)
            {
                act(network);
            }
        }
    }
}
