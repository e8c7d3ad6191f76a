using System.Globalization;
using Coppice.CrashChild;

// A process that is made to be killed. It works on a store and says, on standard output or in a file, what the store has acknowledged.
return args switch
{
    ["busy", var path, var seed] => await BusyWorkload.RunAsync(path, Number(seed)),
    ["serial", var path, var count] => await SerialWorkload.RunAsync(path, Number(count)),
    ["script", var path, var log, var commit, var pause] => await ScriptedWorkload.RunAsync(path, log, Number(commit), Number(pause)),
    ["work", var path, var log, var seed, var commit, var pause] => await DurableWorkload.RunAsync(path, log, Number(seed), Number(commit), Number(pause)),
    ["finish", var path, var log] => await DurableWorkload.FinishAsync(path, log),
    _ => 2,
};

static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
