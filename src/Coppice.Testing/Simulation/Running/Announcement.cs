namespace Coppice.Testing;

/// <summary>Something that happens once and that any number of callers may wait for, each woken by a step of its own.</summary>
internal sealed class Announcement(SimulationLoop loop, SimulatedProcess process)
{
    private readonly List<TaskCompletionSource> _waiting = [];
    private bool _isMade;

    internal Task WaitAsync()
    {
        if (_isMade)
        {
            return Task.CompletedTask;
        }

        var own = new TaskCompletionSource();
        _waiting.Add(own);
        return own.Task;
    }

    internal void Make()
    {
        _isMade = true;
        foreach (var each in _waiting)
        {
            loop.Post(process, "announcement", each.SetResult);
        }

        _waiting.Clear();
    }
}
