using System.Globalization;

namespace Coppice.CrashChild;

/// <summary>The kinds of the scripted work: each pays for all that it does, and its result says what it was given for it.</summary>
internal sealed class ScriptKinds(PaidLog log)
{
    /// <summary>How many messages the agent waits for.</summary>
    internal const int Messages = 3;

    private const int Rows = 3;

    private static readonly TimeSpan Nap = TimeSpan.FromMilliseconds(120);

    internal TaskKind<string, SortedDictionary<string, string>> Order { get; } = new("order") { Recovery = RecoveryPolicy.Resumable };

    internal TaskKind<string, int> Family { get; } = new("family") { Recovery = RecoveryPolicy.Resumable };

    internal TaskKind<int, int> Child { get; } = new("child") { Recovery = RecoveryPolicy.Idempotent };

    internal TaskKind<string, string> Convert { get; } = new("convert") { Recovery = RecoveryPolicy.Idempotent };

    internal TaskKind<string, string> Once { get; } = new("once") { Recovery = RecoveryPolicy.Never };

    internal TaskKind<string, string> Flaky { get; } = new("flaky")
    {
        Recovery = RecoveryPolicy.Idempotent,
        Retry = new RetryPolicy { MaxRetryAttempts = 1, Delay = TimeSpan.FromMilliseconds(30), UseJitter = false },
    };

    internal TaskKind<string, SortedDictionary<string, string>> Reader { get; } = new("reader") { Recovery = RecoveryPolicy.Resumable, HasInbox = true };

    internal void Register(TaskRegistry kinds)
    {
        kinds.Add(Order, OrderAsync);
        kinds.Add(Family, FamilyAsync);
        kinds.Add(Child, ChildAsync);
        kinds.Add(Convert, (_, context) => Task.FromResult(log.Pay(context, "convert")));
        kinds.Add(Once, (_, context) => Task.FromResult(log.Pay(context, "once")));
        kinds.Add(Flaky, FlakyAsync);
        kinds.Add(Reader, ReaderAsync);
    }

    /// <summary>Steps in order, in branches and in a loop, a failure that is kept, a checkpoint and a sleep.</summary>
    private async Task<SortedDictionary<string, string>> OrderAsync(string input, DurableTaskContext context)
    {
        var receipts = new SortedDictionary<string, string>(StringComparer.Ordinal);
        await StepAsync("quote");
        await StepAsync("charge");
        await Task.WhenAll(BranchAsync("left"), BranchAsync("right"));
        foreach (var page in (string[])["a", "b", "c"])
        {
            await StepAsync("page", page);
        }

        try
        {
            await context.StepAsync<string>(
                "card", _ => throw new InvalidOperationException(log.Pay(context, "card")), new StepOptions { KeepFailure = true });
        }
        catch (StepFailedException declined)
        {
            receipts["card/-"] = declined.Message;
        }

        for (var row = context.State.Get<int>(); row < Rows; row++)
        {
            log.Pay(context, "row", row.ToString(CultureInfo.InvariantCulture));
            await context.State.SetAsync(row + 1);
            log.Write($"C {context.TaskId} {row}");
        }

        log.Write($"Z {context.TaskId} {Nap.TotalMilliseconds} {Now(context)}");
        await context.SleepAsync(Nap);
        log.Write($"W {context.TaskId} {Now(context)}");
        await StepAsync("ship");
        return receipts;

        async Task BranchAsync(string side)
        {
            // Which branch comes first is left to chance, and may be another after each kill.
            await Task.Yield();
            await StepAsync(side + 1);
            await StepAsync(side + 2);
        }

        // Not async itself, or the place in the order would not reach its caller's flow.
        Task StepAsync(string name, string? key = null) => NoteAsync(
            $"{name}/{key ?? "-"}", context.StepAsync(name, _ => Task.FromResult(log.Pay(context, name, key)), new StepOptions { Key = key }));

        async Task NoteAsync(string step, Task<string> receipt)
        {
            var value = await receipt;
            lock (receipts)
            {
                receipts.Add(step, value);
            }
        }
    }

    private async Task<int> FamilyAsync(string input, DurableTaskContext context)
    {
        for (var child = 1; child <= 2; child++)
        {
            await context.SpawnAsync($"child-{child}", Child, child);
        }

        var join = await context.JoinAsync("children", JoinCondition.All);
        return join.Ended.Sum(static child => child.Result!.Value.GetInt32());
    }

    private Task<int> ChildAsync(int input, DurableTaskContext context)
    {
        log.Pay(context, "child");
        return Task.FromResult(input * 10);
    }

    private async Task<string> FlakyAsync(string input, DurableTaskContext context)
    {
        var receipt = log.Pay(context, "flaky");
        return (await context.Manager.GetAsync(context.TaskId))!.Work!.Failures > 0 ? receipt : throw new InvalidOperationException("as asked");
    }

    /// <summary>Reads messages until it has had each, and acknowledges one when what it did about it is stored.</summary>
    private async Task<SortedDictionary<string, string>> ReaderAsync(string input, DurableTaskContext context)
    {
        var had = context.State.Get<SortedDictionary<string, string>>() ?? [];
        while (had.Count < Messages)
        {
            var mail = await context.Agent!.Inbox.ReadAsync(context.CancellationToken);
            var content = ((ThreadMessage)mail.Event).Content;
            log.Write($"R {context.TaskId} {mail.Sequence} {content}");
            had[content] = await context.StepAsync("answer", _ => Task.FromResult(log.Pay(context, "answer", content)), new StepOptions { Key = content });
            await context.State.SetAsync(had);
            await context.Agent.Inbox.AckAsync(mail.Sequence);
            log.Write($"A {context.TaskId} {mail.Sequence}");
        }

        return had;
    }

    private static long Now(DurableTaskContext context) => context.Manager.TimeProvider.GetUtcNow().ToUnixTimeMilliseconds();
}
