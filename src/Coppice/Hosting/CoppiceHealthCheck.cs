using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Coppice;

/// <summary>
/// Healthy while the manager runs and its store answers. Register it with <c>services.AddHealthChecks().AddCheck&lt;CoppiceHealthCheck&gt;("coppice")</c>.
/// </summary>
/// <param name="manager">The manager to look at.</param>
public sealed class CoppiceHealthCheck(BackgroundTaskManager manager) : IHealthCheck
{
    /// <summary>Asks the store for a sign of life of this host. Nothing is written.</summary>
    /// <param name="context">Not used but for the status of a failure.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(context);
        var unhealthy = context.Registration?.FailureStatus ?? HealthStatus.Unhealthy;
        if (manager.IsDisposed || manager.StartedCore is not { } core)
        {
            return new HealthCheckResult(unhealthy, manager.IsDisposed ? "The manager is shut down." : "The manager has not started.");
        }

        try
        {
            var hosts = await core.Store.HeartbeatAsync(core.Fence, cancellationToken).ConfigureAwait(false);
            return hosts.Any(host => host.Fence == core.Fence)
                ? HealthCheckResult.Healthy($"{core.LiveCount} tasks are running.", Data(core))
                : new HealthCheckResult(unhealthy, "This host was given up for dead; it joins anew with its next heartbeat.", data: Data(core));
        }
        catch (Exception e) when (e is TaskStoreException or ObjectDisposedException)
        {
            return new HealthCheckResult(unhealthy, $"The store does not answer: {e.Message}", e, Data(core));
        }
    }

    private static Dictionary<string, object> Data(ManagerCore core) => new()
    {
        ["live_tasks"] = core.LiveCount,
        ["host"] = core.Fence.HostId,
        ["epoch"] = core.Fence.Epoch,
    };
}
