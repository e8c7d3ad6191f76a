using System.Globalization;
using System.Text.Json;

namespace Coppice;

/// <summary>
/// The steps of one attempt: those that an earlier attempt stored are given back, the others are run and stored. Where steps are not to be
/// stored, because an attempt starts from the beginning, they are only run.
/// </summary>
internal sealed class StepLog
{
    private const int ReadAtOnce = 1_000;

    /// <summary>How long branches may be silent before a step that none of them has asked for is taken for one that the code no longer has.</summary>
    private static readonly TimeSpan BranchPatience = TimeSpan.FromSeconds(10);

    private readonly TaskRunner _runner;
    private readonly TaskAttempt _attempt;
    private readonly HostFence _fence;
    private readonly StepCursor _root;
    private readonly AsyncLock _loading;
    private readonly Pulse _asks;
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
        _asks = new Pulse(runner.Scheduler);
        _count = attempt.Claimed.Steps;
        _isLoaded = _count == 0;
    }

    private bool IsKept => _attempt.Work.Recovery == RecoveryPolicy.Resumable;

    /// <summary>Gets the key of the next sleep without a name.</summary>
    internal string NextSleep() => Interlocked.Increment(ref _sleeps).ToString(CultureInfo.InvariantCulture);

    /// <summary>Runs a step, or gives back what it gave before.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="options">Its key, and what is kept.</param>
    /// <param name="run">What it does; the answer is what is kept.</param>
    /// <param name="cancellationToken">The task's token.</param>
    /// <returns>What is stored of it, or would be.</returns>
    internal Task<TaskStep> StepAsync(string name, StepOptions options, Func<Task<JsonElement?>> run, CancellationToken cancellationToken)
    {
        // Set here and not in the method below, the place in the order reaches the caller's flow.
        var (before, at) = options.Key is null ? StepCursor.Advance(this, _root, name) : (null, null);
        var step = new TaskStep { Name = name, Key = options.Key ?? "", After = before?.Name ?? "" };
        return RunAsync(step, before, at, options.KeepFailure, run, cancellationToken);
    }

    private async Task<TaskStep> RunAsync(
        TaskStep step, StepCursor? before, StepCursor? at, bool keepFailure, Func<Task<JsonElement?>> run, CancellationToken cancellationToken)
    {
        await LoadAsync().ConfigureAwait(false);
        if (Ask(step, before) is { } stored)
        {
            return stored.Error is { } error ? throw new StepFailedException(step.Name, error, null) : stored;
        }

        TakePlace();
        try
        {
            if (before is not null && _stored.Count > 0)
            {
                await CheckPlaceAsync(step, before, cancellationToken).ConfigureAwait(false);
            }

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
                    $"Step '{step.Name}'{(step.Key.Length > 0 ? $" with key '{step.Key}'" : "")} was asked for before in this attempt. "
                    + "Give each step of a loop a key of its own.");
            }

            _asks.Raise();
            if (_stored.TryGetValue((step.Name, step.Key), out var stored))
            {
                return before is null || stored.After == step.After
                    ? stored
                    : throw Mismatch(step, $"; an earlier attempt stored it {Place(stored.After)}");
            }

            return null;
        }
    }

    /// <summary>
    /// Where an earlier attempt had stored another step, that one is yet to be asked for by a branch beside this one, which came first that time; or
    /// the code has changed. Before anything is paid, the branches get the time to say which.
    /// </summary>
    private async ValueTask CheckPlaceAsync(TaskStep step, StepCursor before, CancellationToken cancellationToken)
    {
        while (true)
        {
            var ask = _asks.Next();
            if (before.Followers > 1 || Replaced(step) is not { } replaced)
            {
                return;
            }

            try
            {
                await ask.WaitAsync(BranchPatience, _runner.Options.TimeProvider, cancellationToken).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                throw Mismatch(step, $", where an earlier attempt had stored step '{replaced.Name}'");
            }
        }
    }

    /// <summary>A stored step in whose place another is asked for; none where several were stored, from which flows had forked.</summary>
    private TaskStep? Replaced(TaskStep step)
    {
        lock (_lock)
        {
            TaskStep? there = null;
            foreach (var stored in _stored.Values)
            {
                if (stored.Key.Length == 0 && stored.After == step.After)
                {
                    if (there is not null || stored.IsFork)
                    {
                        return null;
                    }

                    there = stored;
                }
            }

            return there is not null && there.Name != step.Name && !_asked.Contains((there.Name, "")) ? there : null;
        }
    }

    private async ValueTask<TaskStep> KeepAsync(TaskStep step)
    {
        if (!IsKept)
        {
            return step;
        }

        await _runner.Attempts.StoreAsync("step", new StoreStep(_attempt.TaskId, _attempt.Claim, step), _attempt, _fence).ConfigureAwait(false);
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
                var steps = await _runner.Attempts.ReadStepsAsync(_attempt, _stored.Count, ReadAtOnce).ConfigureAwait(false);
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

    private static StepMismatchException Mismatch(TaskStep step, string stored) => new(
        step.Name,
        $"The task asks for step '{step.Name}' {Place(step.After)}{stored}. The code has changed since: give steps that may come in any order a key, "
        + "and a changed kind of task a new name.");

    private static string Place(string after) => after.Length == 0 ? "first" : $"after step '{after}'";
}
