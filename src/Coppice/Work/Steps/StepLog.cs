using System.Text.Json;

namespace Coppice;

/// <summary>
/// The steps of one attempt: those that an earlier attempt stored are given back, the others are run and stored. Where steps are not to be
/// stored, because an attempt starts from the beginning, they are only run.
/// </summary>
internal sealed class StepLog
{
    private const int ReadAtOnce = 1_000;

    private readonly TaskRunner _runner;
    private readonly TaskAttempt _attempt;
    private readonly HostFence _fence;
    private readonly StepCursor _root;
    private readonly AsyncLock _loading;
    private readonly Lock _lock = new();
    private readonly HashSet<(string Name, string Key)> _asked = [];
    private readonly Dictionary<(string Name, string Key), TaskStep> _stored = [];
    private int _count;
    private bool _isLoaded;
    private int _sleeps;

    internal StepLog(TaskRunner runner, TaskAttempt attempt, HostFence fence)
    {
        _runner = runner;
        _attempt = attempt;
        _fence = fence;
        _root = new StepCursor(this, "", null);
        _loading = new AsyncLock(runner.Scheduler);
        _count = attempt.Claimed.Steps;
        _isLoaded = _count == 0;
    }

    private bool IsKept => _attempt.Work.Recovery == RecoveryPolicy.Resumable;

    /// <summary>Gets the key of the next sleep without a name.</summary>
    internal string NextSleep() => Interlocked.Increment(ref _sleeps).ToString(System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Runs a step, or gives back what it gave before.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="options">Its key, and what is kept.</param>
    /// <param name="run">What it does; the answer is what is kept.</param>
    /// <returns>What is stored of it, or would be.</returns>
    internal Task<TaskStep> StepAsync(string name, StepOptions options, Func<Task<JsonElement?>> run)
    {
        // Set here and not in the method below, the place in the order reaches the caller's flow.
        var (before, at) = options.Key is null ? StepCursor.Advance(this, _root, name) : (null, null);
        return RunAsync(new TaskStep { Name = name, Key = options.Key ?? "", After = before?.Name ?? "" }, before, at, options.KeepFailure, run);
    }

    private async Task<TaskStep> RunAsync(TaskStep step, StepCursor? before, StepCursor? at, bool keepFailure, Func<Task<JsonElement?>> run)
    {
        await LoadAsync().ConfigureAwait(false);
        if (Ask(step, before) is { } stored)
        {
            return stored.Error is { } error ? throw new StepFailedException(step.Name, error, null) : stored;
        }

        TakePlace();
        try
        {
            var result = await run().ConfigureAwait(false);
            return await KeepAsync(step with { Result = result, IsFork = before?.Followers > 1 }).ConfigureAwait(false);
        }
        catch (Exception e) when (keepFailure && e is not (OperationCanceledException or CoppiceException))
        {
            var error = _runner.ErrorOf(e);
            await KeepAsync(step with { Error = error, IsFork = before?.Followers > 1 }).ConfigureAwait(false);
            throw new StepFailedException(step.Name, error, e);
        }
        catch (Exception)
        {
            Forget(step, at);
            throw;
        }
    }

    /// <summary>The step as it is stored; <see langword="null"/> where it is to be run.</summary>
    private TaskStep? Ask(TaskStep step, StepCursor? before)
    {
        lock (_lock)
        {
            if (!_asked.Add((step.Name, step.Key)))
            {
                throw new InvalidOperationException(
                    $"Step '{step.Name}'{(step.Key.Length > 0 ? $" with key '{step.Key}'" : "")} was asked for before in this attempt. Give each step of a loop a key of its own.");
            }

            if (_stored.TryGetValue((step.Name, step.Key), out var stored))
            {
                return before is null || stored.After == step.After ? stored : throw Moved(step, stored);
            }

            if (before is { Followers: 1 } && Replaced(step) is { } replaced)
            {
                throw new StepMismatchException(
                    step.Name,
                    $"The task asks for step '{step.Name}' {Place(step.After)}, where an earlier attempt had stored step '{replaced.Name}'. The code has "
                    + "changed since: give steps that may come in any order a key, and a changed kind of task a new name.");
            }

            return null;
        }
    }

    /// <summary>A stored step in whose place another is asked for.</summary>
    private TaskStep? Replaced(TaskStep step) =>
        _stored.Values.FirstOrDefault(stored =>
            stored.Key.Length == 0 && !stored.IsFork && stored.After == step.After && stored.Name != step.Name && !_asked.Contains((stored.Name, "")));

    private async ValueTask<TaskStep> KeepAsync(TaskStep step)
    {
        if (!IsKept)
        {
            return step;
        }

        await _runner.StoreProgressAsync("step", new StoreStep(_attempt.TaskId, _attempt.Claim, step), _attempt, _fence).ConfigureAwait(false);
        return step;
    }

    /// <summary>Sees to it that a step can be stored, before it is paid for.</summary>
    private void TakePlace()
    {
        if (IsKept && Interlocked.Increment(ref _count) > _runner.Options.MaxSteps)
        {
            Interlocked.Decrement(ref _count);
            throw new InvalidOperationException(
                $"The task has stored {_runner.Options.MaxSteps} steps, which is MaxSteps. Put more work into each, or raise the limit.");
        }
    }

    /// <summary>A step that failed and is not kept may be asked for again.</summary>
    private void Forget(TaskStep step, StepCursor? at)
    {
        if (IsKept)
        {
            Interlocked.Decrement(ref _count);
        }

        if (at is not null)
        {
            at.HasFailed = true;
        }

        lock (_lock)
        {
            _asked.Remove((step.Name, step.Key));
        }
    }

    private async ValueTask LoadAsync()
    {
        if (Volatile.Read(ref _isLoaded))
        {
            return;
        }

        await _loading.EnterAsync(CancellationToken.None).ConfigureAwait(false);
        try
        {
            while (!_isLoaded)
            {
                var steps = await _runner.ReadStepsAsync(_attempt, _stored.Count, ReadAtOnce).ConfigureAwait(false);
                lock (_lock)
                {
                    foreach (var step in steps)
                    {
                        _stored[(step.Name, step.Key)] = step;
                    }
                }

                Volatile.Write(ref _isLoaded, steps.Count < ReadAtOnce);
            }
        }
        finally
        {
            _loading.Exit();
        }
    }

    private static StepMismatchException Moved(TaskStep step, TaskStep stored) => new(
        step.Name,
        $"The task asks for step '{step.Name}' {Place(step.After)}; an earlier attempt stored it {Place(stored.After)}. The code has changed since: give "
        + "steps that may come in any order a key, and a changed kind of task a new name.");

    private static string Place(string after) => after.Length == 0 ? "first" : $"after step '{after}'";
}
