namespace Coppice;

/// <summary>How the host opens its store.</summary>
internal sealed record TaskStoreOpener(Func<IServiceProvider, CancellationToken, ValueTask<ITaskStore>> Open);
