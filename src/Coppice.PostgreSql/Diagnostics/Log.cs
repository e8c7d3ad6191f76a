using Microsoft.Extensions.Logging;

namespace Coppice.PostgreSql;

/// <summary>Log messages of stores in PostgreSQL, in the same series of ids as those of their managers: 41xx.</summary>
internal static partial class Log
{
    [LoggerMessage(4101, LogLevel.Warning, "News of other processes cannot be heard; until they can, what they commit is found by looking, each {PollMs} ms")]
    internal static partial void ListenerLost(ILogger logger, long pollMs, Exception exception);

    [LoggerMessage(4102, LogLevel.Information, "News of other processes are heard again, after {SilentMs} ms; what was missed meanwhile is looked for")]
    internal static partial void ListenerBack(ILogger logger, long silentMs);

    [LoggerMessage(4103, LogLevel.Warning, "News of other processes are missing: {Reason}; what they said is looked for")]
    internal static partial void NewsMissing(ILogger logger, string reason);

    [LoggerMessage(4104, LogLevel.Warning, "Host {HostId} with epoch {Epoch} has no process any more; the hosts here settle it now")]
    internal static partial void DeathNoticed(ILogger logger, string hostId, long epoch);

    [LoggerMessage(4105, LogLevel.Information, "Host {HostId} with epoch {Epoch} was settled {ElapsedMs} ms after its death was noticed here")]
    internal static partial void DeathSettled(ILogger logger, string hostId, long epoch, long elapsedMs);

    [LoggerMessage(4106, LogLevel.Information, "A look found what no news had brought: {Hosts} hosts of this process given up, {Mailboxes} mailboxes taken over")]
    internal static partial void FoundByLooking(ILogger logger, int hosts, int mailboxes);
}
