using System.Globalization;
using System.Text.Json;

namespace Coppice.Sqlite.Tests;

/// <summary>Draws work, claims of it, and what attempts do with it.</summary>
/// <param name="next">Draws a number below another.</param>
/// <param name="now">The time.</param>
internal sealed class RandomWork(Func<int, int> next, Func<DateTimeOffset> now)
{
    private static readonly string[] Kinds = ["k1", "k2", "k3"];

    // One at a time: agents of one claim share a reader, and what becomes of it with two of them in one thread is a store's own affair.
    private const string AgentKind = "agent";

    private readonly List<(string TaskId, long Claim)> _attempts = [("bg_0", 1)];

    /// <summary>Gets how many tasks were claimed.</summary>
    public int Attempts => _attempts.Count - 1;

    /// <summary>Gets the tasks that were claimed last.</summary>
    public IEnumerable<string> LastAttempts => _attempts.TakeLast(10).Select(static attempt => attempt.TaskId).Distinct();

    /// <summary>Takes in what was claimed.</summary>
    public void Hear(MutationAnswer answer)
    {
        if (answer is WorkClaimed claimed)
        {
            _attempts.AddRange(claimed.Tasks.Select(static work => (work.Task.TaskId, work.Claim)));
        }
    }

    public NewWork New(bool forAgent) => new()
    {
        Kind = forAgent ? AgentKind : Kinds[next(3)],
        Version = next(6) == 0 ? 2 + next(2) : 1,
        Input = Json(),
        Recovery = (RecoveryPolicy)next(3),
        MaxCrashes = next(2) == 0 ? int.MaxValue : 1 + next(3),
        Priority = next(2) == 0 ? 0 : next(5) - 2,
        DueAt = next(3) == 0 ? now().AddMilliseconds(next(60) - 10) : null,
        Deadline = next(4) == 0 ? now().AddMilliseconds(next(200)) : null,
        IdempotencyKey = next(4) == 0 ? "key" + next(30) : null,
    };

    public TaskWork Restored() => new()
    {
        Kind = Kinds[next(3)],
        Version = 1 + next(3),
        Input = Json(),
        Attempt = next(3),
        Failures = next(3),
        DueAt = next(2) == 0 ? now().AddMilliseconds(next(60)) : null,
        Deadline = next(2) == 0 ? now().AddMilliseconds(next(60)) : null,
        IdempotencyKey = next(2) == 0 ? "key" + next(30) : null,
        LastError = next(2) == 0 ? "it failed" : null,
    };

    public ClaimWork AClaim(Func<Guid> reader) => new(
        [
            .. Kinds.Where(_ => next(4) != 0).Select(kind => new KindClaim(kind)
            {
                MaxVersion = 1 + next(3),
                MaxRunning = next(2) == 0 ? int.MaxValue : 1 + next(10),
                MaxRunningPerThread = next(2) == 0 ? int.MaxValue : 1 + next(4),
                MaxCrashes = next(2) == 0 ? int.MaxValue : 1 + next(3),
                CrashWindow = TimeSpan.FromMilliseconds(1 + next(100)),
            }),
            new KindClaim(AgentKind) { MaxRunning = 1, MaxVersion = 1 + next(3) },
        ],
        next(5))
    { AgentReader = reader() };

    /// <summary>An attempt, mostly one of the last; perhaps one that is over, or a claim that is another's.</summary>
    public string AnAttempt(out long claim)
    {
        var (taskId, number) = next(4) == 0 ? _attempts[next(_attempts.Count)] : _attempts[^(1 + next(Math.Min(_attempts.Count, 8)))];
        claim = next(10) == 0 ? next(20) : number;
        return taskId;
    }

    public Mutation AnAttemptsChange()
    {
        var taskId = AnAttempt(out var claim);
        return next(8) switch
        {
            0 or 1 => new StoreStep(taskId, claim, AStep()),
            2 => new StoreCheckpoint(taskId, claim, next(4) == 0 ? null : Json()),
            3 => new MoveTask(taskId, (TaskState)next(6)) { Claim = claim },
            4 => new CloseAgentInbox(taskId) { Claim = claim },
            _ => new HandBackWork(taskId, claim)
            {
                DueAt = next(2) == 0 ? now().AddMilliseconds(next(30) - 5) : null,
                Error = next(2) == 0 ? "again" : null,
                FirstEvent = next(3),
                Events = [.. Enumerable.Range(0, next(3)).Select(_ => new CustomTaskEvent(taskId, "progress", Json()))],
                CancelledBy = next(10) == 0 ? "user" : null,
            },
        };
    }

    private TaskStep AStep() => new()
    {
        Name = "s" + next(4),
        Key = next(2) == 0 ? "" : "a",
        After = next(2) == 0 ? "" : "s0",
        IsFork = next(2) == 0,
        Result = next(2) == 0 ? Json() : null,
        Error = next(3) == 0 ? "no" : null,
    };

    // Now and then longer than what is remembered of a task that was just written.
    private JsonElement Json() =>
        JsonElement.Parse(string.Create(CultureInfo.InvariantCulture, $$"""{"a": [{{next(100)}}, "{{new string('x', next(20) == 0 ? 3000 : 3)}}"]}"""));
}
