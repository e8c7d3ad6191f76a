using System.Globalization;
using Coppice.ClusterHost;

// A host of a cluster, made to be killed, stopped and cut off. It works on a store that other processes work on too, and writes to a file what the store
// has acknowledged to it. It stops asking for more at the line "finish" on its standard input, and leaves at "exit".
if (args is not ["host", var name, var log, var seed, var skew, var timeout])
{
    Console.Error.WriteLine("usage: host <name> <log> <seed> <milliseconds its clock is ahead> <HostTimeout in milliseconds>");
    return 2;
}

using var history = new HostLog(log);
var plan = new HostPlan(name, int.Parse(seed, CultureInfo.InvariantCulture), TimeSpan.FromMilliseconds(long.Parse(skew, CultureInfo.InvariantCulture)))
{
    HostTimeout = TimeSpan.FromMilliseconds(long.Parse(timeout, CultureInfo.InvariantCulture)),
};
await using var host = await ClusterMember.StartAsync(plan, history);
Console.WriteLine("READY");
var callers = host.WorkAsync();
while (await Console.In.ReadLineAsync() is { } command && command != "exit")
{
    host.Finish();
}

host.Finish();
await callers;
return 0;
