namespace Coppice.ClusterHost;

internal static class Pause
{
    internal static Task For(double milliseconds, CancellationToken cancellationToken = default) =>
        Task.Delay(TimeSpan.FromMilliseconds(milliseconds), TimeProvider.System, cancellationToken);
}
