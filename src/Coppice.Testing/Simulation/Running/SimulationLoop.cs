namespace Coppice.Testing;

/// <summary>
/// Runs everything of one history on one thread, a step at a time: which of the ready steps comes next is a choice. When there is none,
/// time moves on to the next timer.
/// </summary>
internal sealed class SimulationLoop(ChoiceSource choices, int maxSteps, TimeSpan maxLag)
{
    private readonly ExecutionContext _clean = ExecutionContext.Capture()!;
    private readonly int _thread = Environment.CurrentManagedThreadId;
    private readonly List<WorkItem> _ready = [];
    private readonly List<SimulatedTimer> _timers = [];
    private readonly List<Action> _afterStep = [];
    private long _timerOrder;
    private volatile int _storeCalls;
    private volatile string? _escape;
    private volatile bool _isOver;

    internal ChoiceSource Choices => choices;

    internal long Now { get; private set; }

    internal TimeSpan Elapsed => TimeSpan.FromTicks(Now);

    internal int Steps { get; private set; }

    /// <summary>Gets the process whose step is being taken.</summary>
    internal SimulatedProcess? Current { get; private set; }

    /// <summary>Gets what ran on another thread, if anything did.</summary>
    internal string? Escape => _escape;

    /// <summary>Makes a step ready.</summary>
    internal WorkItem? Post(SimulatedProcess process, string what, Action run)
    {
        CheckThread(what);
        if (process.IsDead)
        {
            return null;
        }

        var item = new WorkItem(process, what, run, Now);
        _ready.Add(item);
        return item;
    }

    /// <summary>Does something when the step that is being taken has ended, before any other.</summary>
    internal void AfterStep(Action action) => _afterStep.Add(action);

    /// <summary>Takes one step. False when there is none, and no timer that time could move on to.</summary>
    internal bool TryStep()
    {
        if (++Steps > maxSteps)
        {
            throw new SimulationLimitException(
                $"The history took more than {maxSteps} steps. Something goes round in circles, or SimulationOptions.MaxSteps has to be larger.");
        }

        ThrowIfEscaped();
        _ready.RemoveAll(static item => item.IsWithdrawn);
        var count = 0;
        WorkItem? oldest = null;
        foreach (var item in _ready)
        {
            if (item.Process.IsRunning)
            {
                oldest ??= item;
                count++;
            }
        }

        var timer = NextTimer();
        if (count == 0)
        {
            if (timer is null)
            {
                return false;
            }

            MoveTo(timer.Due);
            return true;
        }

        // A process that is not paused is slow at the most: time does not run away from what it could do.
        var mayWait = timer is not null && timer.Due - oldest!.Since <= maxLag.Ticks;
        var choice = choices.ChooseStep(count, mayWait);
        if (choice == count)
        {
            MoveTo(timer!.Due);
        }
        else
        {
            Take(choice);
        }

        return true;
    }

    /// <summary>Lets time pass to a moment, with all that happens until then.</summary>
    internal void RunUntil(long moment)
    {
        while (Now < moment || HasReadyStep())
        {
            if (!HasReadyStep() && (NextTimer() is not { } timer || timer.Due > moment))
            {
                Now = moment;
                return;
            }

            TryStep();
        }
    }

    internal bool HasReadyStep() => _ready.Exists(static item => item.Process.IsRunning && !item.IsWithdrawn);

    /// <summary>Forgets all that a process would have done.</summary>
    internal void Bury(SimulatedProcess process)
    {
        process.State = ProcessState.Dead;
        _ready.RemoveAll(item => item.Process == process);
        _timers.RemoveAll(timer => timer.Process == process);
    }

    /// <summary>Forgets what a process was about to do; it goes on.</summary>
    internal void Drop(SimulatedProcess process) => _ready.RemoveAll(item => item.Process == process);

    internal void Arm(SimulatedTimer timer, long due)
    {
        timer.Due = due;
        timer.Order = _timerOrder++;
        _timers.Add(timer);
    }

    internal void Disarm(SimulatedTimer timer) => _timers.Remove(timer);

    /// <summary>Runs a call of the store to its end. Whatever thread the store works with may call back meanwhile; this one stands still.</summary>
    internal T Await<T>(Func<ValueTask<T>> call)
    {
        _storeCalls++;
        try
        {
            var answer = call();
            return answer.IsCompleted ? answer.Result : answer.AsTask().GetAwaiter().GetResult();
        }
        finally
        {
            _storeCalls--;
        }
    }

    /// <summary>Notes that nothing of this history may run any more.</summary>
    internal void End() => _isOver = true;

    /// <exception cref="InvalidOperationException">The call comes from outside the simulation.</exception>
    internal void CheckThread(string what)
    {
        if (_isOver)
        {
            throw new InvalidOperationException("This history of the simulation is over.");
        }

        if (!IsInside(what))
        {
            throw new InvalidOperationException(_escape);
        }
    }

    /// <summary>Whether the call comes from inside the simulation. If not, that is what went wrong with the history.</summary>
    internal bool IsInside(string what)
    {
        if (Environment.CurrentManagedThreadId == _thread || _storeCalls > 0)
        {
            return true;
        }

        _escape ??= Escapes.Describe(what);
        return false;
    }

    internal void ThrowIfEscaped()
    {
        if (_escape is { } escape)
        {
            throw new SimulationLimitException(escape);
        }
    }

    private SimulatedTimer? NextTimer()
    {
        SimulatedTimer? next = null;
        foreach (var timer in _timers)
        {
            if (next is null || timer.Due < next.Due || (timer.Due == next.Due && timer.Order < next.Order))
            {
                next = timer;
            }
        }

        return next;
    }

    private void MoveTo(long moment)
    {
        Now = Math.Max(Now, moment);
        while (NextTimer() is { } timer && timer.Due <= Now)
        {
            _timers.Remove(timer);
            timer.Fall();
        }
    }

    private void EndStep()
    {
        foreach (var action in _afterStep)
        {
            action();
        }

        _afterStep.Clear();
    }

    private void Take(int choice)
    {
        for (var i = 0; ; i++)
        {
            if (_ready[i].Process.IsRunning && choice-- == 0)
            {
                var item = _ready[i];
                _ready.RemoveAt(i);
                Current = item.Process;
                ExecutionContext.Run(_clean, static run => ((Action)run!)(), item.Run);
                Current = null;
                EndStep();
                return;
            }
        }
    }
}
