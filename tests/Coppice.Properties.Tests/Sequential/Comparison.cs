using Coppice.Properties.Tests.Model;

namespace Coppice.Properties.Tests.Sequential;

/// <summary>Runs a script on the real thing and on the model, one step after another, and compares every answer and the whole state.</summary>
internal sealed partial class Comparison : IAsyncDisposable
{
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(30);
    private static readonly string[] Threads = ["t1", "t2"];
    private static readonly string[] Names = ["x", "y"];

    private readonly Support.FreshStore _fresh;
    private readonly ITaskStore _store;
    private readonly ManualClock _clock = new();
    private readonly Support.Arrivals _arrivals = new();
    private readonly IDisposable _subscription;
    private readonly ReferenceModel _model;
    private readonly SortedDictionary<int, BackgroundTaskManager> _hosts = [];
    private readonly Dictionary<string, Support.Puppet> _puppets = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _hostOf = new(StringComparer.Ordinal);
    private readonly List<Inbox> _inboxes = [];
    private readonly List<string> _threads = [.. Threads];
    private readonly List<string> _ids = [];
    private readonly List<string> _story = [];
    private int _emitted;
    private int _hostCount;

    private Comparison(Support.FreshStore fresh, ReferenceModel model)
    {
        _fresh = fresh;
        _store = fresh.Store;
        _model = model;
        _model.Now = _clock.GetUtcNow();
        _subscription = _store.Subscribe(_arrivals);
    }

    internal static Task RunAsync(Support.StoreKind kind, Script script) => RunAsync(kind, script, new ReferenceModel());

    internal static async Task RunAsync(Support.StoreKind kind, Script script, ReferenceModel model)
    {
        await using var comparison = new Comparison(await Support.FreshStore.OpenAsync(kind), model);
        try
        {
            await comparison.StartHostAsync();
            foreach (var step in script.Steps)
            {
                await comparison.TakeAsync(step).WaitAsync(Guard);
                await comparison.CompareStateAsync().WaitAsync(Guard);
            }

            await comparison.CompareMailAsync().WaitAsync(Guard);
        }
        catch (Exception e)
        {
            var reason = e is Support.Disagreement ? e.Message : e.ToString();
            throw new Support.Disagreement($"{reason}\nafter\n{string.Join('\n', comparison._story)}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var host in _hosts.Values)
        {
            await host.DisposeAsync();
        }

        _subscription.Dispose();
        await _fresh.DisposeAsync();
        foreach (var puppet in _puppets.Values)
        {
            puppet.End(_ => Task.FromResult(TaskOutcome.Cancelled));
        }
    }

    private async Task TakeAsync(Step step)
    {
        if (_hosts.Count == 0 && step.Kind is not (StepKind.StartHost or StepKind.Advance))
        {
            return;
        }

        await (step.Kind switch
        {
            StepKind.Spawn or StepKind.SpawnAgent or StepKind.SpawnInside => SpawnAsync(step),
            StepKind.Finish => FinishAsync(step),
            StepKind.CancelTask => CancelAsync(step, CancelScope.Task, Id(step.B)),
            StepKind.CancelTree => CancelAsync(step, CancelScope.Tree, Id(step.B)),
            StepKind.CancelThread => CancelAsync(step, CancelScope.Thread, Pick(_threads, step.B)),
            StepKind.CancelRun => CancelAsync(step, CancelScope.Run, Run(step.B) ?? "r1"),
            StepKind.Send => SendAsync(step),
            StepKind.Emit => EmitAsync(step),
            StepKind.OpenInbox => OpenAsync(step),
            StepKind.Drain => DrainAsync(step),
            StepKind.Acknowledge => AcknowledgeAsync(step),
            StepKind.DisposeInbox => DisposeInboxAsync(step),
            StepKind.Wait => WaitAsync(step),
            StepKind.FindChild => FindChildAsync(step),
            StepKind.Query => QueryAsync(step),
            StepKind.Restore => RestoreAsync(step),
            StepKind.Prune => PruneAsync(step),
            StepKind.Advance => AdvanceAsync(step),
            StepKind.StartHost => StartHostAsync(),
            _ => StopHostAsync(step),
        });
    }

    private async Task CompareStateAsync()
    {
        SameList("all tasks", _model.List(), await _store.ListAsync(new TaskQuery(), null, int.MaxValue, default));
        Same("the depth of mail", _model.MailDepth, _store.MailDepth);
        SameList(
            "threads with unread mail",
            _model.ThreadsThatCallForAReader,
            (await _store.ListThreadsWithUnreadMailAsync(default)).Order(StringComparer.Ordinal));
        foreach (var thread in _threads)
        {
            Same($"whether {thread} has running tasks", _model.HasRunning(thread), await _store.HasLiveAsync(thread, default));
            SameList(
                $"the dead letters of {thread}",
                _model.MailOf(thread).DeadLetters.Select(letter => (letter.Sequence, letter.Event)),
                (await _store.ListDeadLettersAsync(thread, default)).Select(letter => (letter.Sequence, letter.Event)));
        }

        foreach (var id in _ids)
        {
            Same($"task {id}", _model.Get(id), await _store.GetAsync(id, default));
        }
    }

    /// <summary>All mail that is not acknowledged, as the next reader gets it.</summary>
    private async Task CompareMailAsync()
    {
        if (_hosts.Count == 0)
        {
            await StartHostAsync();
        }

        foreach (var thread in _threads)
        {
            await using var inbox = await _hosts.Values.First().OpenInboxAsync(thread);
            SameList($"the mail of {thread}", _model.MailOf(thread).Mail, await inbox.DrainAsync());
        }
    }

    private void Tell(string what) => _story.Add($"  {_story.Count + 1}. {what}");

    private static void SameList<T>(string what, IEnumerable<T> expected, IEnumerable<T> actual)
    {
        if (!expected.SequenceEqual(actual))
        {
            throw new Support.Disagreement($"{what}:\n  the model {string.Join("\n            ", expected)}\n  the store {string.Join("\n            ", actual)}");
        }
    }

    private static void Same<T>(string what, T expected, T actual)
    {
        if (!EqualityComparer<T>.Default.Equals(expected, actual))
        {
            throw new Support.Disagreement($"{what}:\n  the model {expected}\n  the store {actual}");
        }
    }

    private static string Pick(List<string> list, int number) => list[number % list.Count];

    // Of the later ones more, because the earlier have ended; and now and then one that nobody knows.
    private string Id(int number) => number == 11 || _ids.Count == 0 ? "elsewhere" : _ids[^((number % _ids.Count) + 1)];

    private string? Run(int number) => (number % 4) switch { 1 => "r1", 2 => "r2", _ => null };

    private int Host(int number) => _hosts.Keys.ElementAt(number % _hosts.Count);
}
