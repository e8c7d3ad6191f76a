using Coppice.CrashChild;

// A process that is made to be killed. It works on a store and says on standard output what the store has acknowledged.
return args switch
{
    ["busy", var path, var seed] => await BusyWorkload.RunAsync(path, int.Parse(seed, System.Globalization.CultureInfo.InvariantCulture)),
    ["serial", var path, var count] => await SerialWorkload.RunAsync(path, int.Parse(count, System.Globalization.CultureInfo.InvariantCulture)),
    _ => 2,
};
