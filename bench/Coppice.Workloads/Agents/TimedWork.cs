using Microsoft.Extensions.AI;

namespace Coppice.Workloads;

/// <summary>A tool whose work takes as many seconds, by its clock, as it is asked for.</summary>
internal sealed class TimedWork(TimeProvider time) : AIFunction
{
    internal const string Seconds = "seconds";

    public override string Name => "crawl";

    public override string Description => "Crawls a site.";

    protected override async ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken)
    {
        var seconds = (int)arguments[Seconds]!;
        await Task.Delay(TimeSpan.FromSeconds(seconds), time, cancellationToken);
        return $"{seconds} pages were read, and nothing in them was new.";
    }
}
