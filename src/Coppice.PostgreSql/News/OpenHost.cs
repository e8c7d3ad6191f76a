namespace Coppice.PostgreSql;

/// <summary>An open host of another process, as a transaction sees it.</summary>
/// <param name="Epoch">Its epoch.</param>
/// <param name="HandlesUnread">Whether its process calls somebody for mail that nobody reads.</param>
internal readonly record struct OpenHost(long Epoch, bool HandlesUnread);
