namespace Coppice;

/// <summary>Who waits for which task to end.</summary>
internal sealed class TaskWaiters(WorkScheduler scheduler)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Waiter> _waiters = new(StringComparer.Ordinal);
    private volatile int _count;
    private bool _hasEnded;

    /// <summary>Begins to wait. The returned object has to be disposed.</summary>
    internal Registration Register(string taskId)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_hasEnded, typeof(BackgroundTaskManager));
            if (!_waiters.TryGetValue(taskId, out var waiter))
            {
                _waiters.Add(taskId, waiter = new Waiter(scheduler.CreateSource()));
                _count = _waiters.Count;
            }

            waiter.Registrations++;
            return new Registration(this, taskId, waiter);
        }
    }

    /// <summary>Has those look who wait for a task: it has ended, or nobody here would tell them any more when it does.</summary>
    internal void Wake(string taskId)
    {
        if (_count == 0)
        {
            return;
        }

        lock (_lock)
        {
            if (_waiters.Remove(taskId, out var waiter))
            {
                _count = _waiters.Count;
                scheduler.Complete(waiter.Ended);
            }
        }
    }

    /// <summary>Has those look again who wait for tasks that do not run here: whoever runs them may have ended them unheard.</summary>
    internal void WakeOthers(Func<string, bool> runsHere)
    {
        if (_count == 0)
        {
            return;
        }

        lock (_lock)
        {
            foreach (var taskId in _waiters.Keys.Where(taskId => !runsHere(taskId)).ToList())
            {
                _waiters.Remove(taskId, out var waiter);
                _count = _waiters.Count;
                scheduler.Complete(waiter!.Ended);
            }
        }
    }

    /// <summary>Ends every wait: the manager is disposed.</summary>
    internal void End()
    {
        lock (_lock)
        {
            _hasEnded = true;
            foreach (var waiter in _waiters.Values)
            {
                scheduler.Complete(waiter.Ended, new ObjectDisposedException(nameof(BackgroundTaskManager)));
            }
        }
    }

    private Task WaitFor(Waiter waiter) => scheduler.WaitFor(waiter.Ended);

    private void Leave(string taskId, Waiter waiter)
    {
        lock (_lock)
        {
            if (--waiter.Registrations == 0 && _waiters.TryGetValue(taskId, out var current) && ReferenceEquals(current, waiter))
            {
                _waiters.Remove(taskId);
                _count = _waiters.Count;
            }
        }
    }

    internal sealed class Waiter(TaskCompletionSource ended)
    {
        internal int Registrations;

        internal TaskCompletionSource Ended { get; } = ended;
    }

    internal readonly struct Registration(TaskWaiters waiters, string taskId, Waiter waiter) : IDisposable
    {
        internal Task Ended => waiters.WaitFor(waiter);

        public void Dispose() => waiters.Leave(taskId, waiter);
    }
}
