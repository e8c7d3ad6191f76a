namespace Coppice;

/// <summary>The first request to cancel a task. A snapshot may bring half of one.</summary>
internal sealed record CancelRequest(string? By, DateTimeOffset? At);
