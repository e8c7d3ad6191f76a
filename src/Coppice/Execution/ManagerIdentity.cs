namespace Coppice;

/// <summary>A manager and its store, known without being kept alive: ambient values outlast what they came from.</summary>
internal sealed class ManagerIdentity(BackgroundTaskManager manager, ITaskStore store)
{
    private readonly WeakReference<BackgroundTaskManager> _manager = new(manager);
    private readonly WeakReference<ITaskStore> _store = new(store);

    internal BackgroundTaskManager? Manager => _manager.TryGetTarget(out var manager) ? manager : null;

    internal bool IsOn(ITaskStore store) => _store.TryGetTarget(out var own) && ReferenceEquals(own, store);
}
