using Coppice.Workloads;

// bench/run.sh is the way in. "run" is one measurement in this process, which "table" starts again and again. "host" is one of several hosts that a
// measurement starts, and tells what to do.
return args switch
{
    ["run", var name, .. var parameters] => await Measurements.RunAsync(name, Parameters.Parse(parameters)),
    ["host", var role, .. var parameters] => await HostRoles.RunAsync(role, Parameters.Parse(parameters)),
    ["table", .. var rest] => await TableCommand.RunAsync(rest),
    _ => TableCommand.Usage(),
};
