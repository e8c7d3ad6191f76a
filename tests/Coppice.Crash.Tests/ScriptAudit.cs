namespace Coppice.Crash.Tests;

/// <summary>What the scripted work has to come to, wherever its processes were killed.</summary>
internal static class ScriptAudit
{
    private static readonly string[] Roots = ["convert", "family", "flaky", "once", "order", "reader"];

    private static readonly string[] OrderSteps =
    [
        "card/-", "charge/-", "left1/-", "left2/-", "page/a", "page/b", "page/c", "quote/-", "right1/-", "right2/-", "ship/-",
    ];

    internal static void Check(DurableHistory history)
    {
        var tasks = history.End.Tasks.Values.ToLookup(static task => task.Work!.Kind);
        Assert.Equal(["child", "child", .. Roots], history.End.Tasks.Values.Select(static task => task.Work!.Kind).Order(StringComparer.Ordinal));
        Assert.All(
            history.End.Tasks.Values.Where(static task => task.Work!.Kind != "once"),
            static task => Assert.True(task.State == TaskState.Completed, $"{task.Work!.Kind} {task.State}: {task.Error}"));

        var receipts = Receipts(history);
        var order = tasks["order"].Single();
        Assert.Equal(
            OrderSteps.Select(step => (step, receipts[(order.TaskId, step)])),
            order.Result!.Value.EnumerateObject().Select(static step => (step.Name, step.Value.GetString()!)).OrderBy(static step => step.Name, StringComparer.Ordinal));
        CheckRows(history, order);
        CheckSleep(history, order);

        Assert.Equal(30, tasks["family"].Single().Result!.Value.GetInt32());
        Assert.Equal([10, 20], tasks["child"].Select(static child => child.Result!.Value.GetInt32()).Order());
        Assert.Equal(1, tasks["flaky"].Single().Work!.Failures);
        foreach (var task in tasks["convert"].Concat(tasks["flaky"]).Concat(tasks["once"]).Where(static task => task.State == TaskState.Completed))
        {
            Assert.Equal(receipts[(task.TaskId, $"{task.Work!.Kind}/-")], task.Result!.Value.GetString());
        }

        CheckReader(history, tasks["reader"].Single(), receipts);
    }

    /// <summary>The last receipt for each step: an earlier one was for what was not stored.</summary>
    private static Dictionary<(string TaskId, string Step), string> Receipts(DurableHistory history)
    {
        var receipts = new Dictionary<(string, string), string>();
        foreach (var paid in history.Lines("E"))
        {
            receipts[(paid[0], $"{paid[1]}/{paid[2]}")] = paid[4];
        }

        return receipts;
    }

    /// <summary>No row is paid for again once the checkpoint is past it, and none is left out.</summary>
    private static void CheckRows(DurableHistory history, TaskSnapshot order)
    {
        Assert.Equal(["0", "1", "2"], history.Lines("E").Where(static paid => paid[1] == "row").Select(static paid => paid[2]).Distinct());
        for (var run = 0; run < history.Kills; run++)
        {
            var dump = history.Dumps[run];
            if (dump.Tasks.TryGetValue(order.TaskId, out var then) && !then.State.IsTerminal())
            {
                var stored = dump.Checkpoints.TryGetValue(order.TaskId, out var checkpoint) ? checkpoint.GetInt32() : 0;
                Assert.All(history.Lines("C", run), row => Assert.True(DurableHistory.Number(row[1]) < stored, "An acknowledged checkpoint is lost."));
                Assert.All(
                    history.Lines("B", run + 1).Where(static paid => paid[1] == "row"),
                    paid => Assert.True(DurableHistory.Number(paid[2]) >= stored, $"Row {paid[2]} is behind the checkpoint, and was paid for again."));
            }
        }
    }

    private static void CheckSleep(DurableHistory history, TaskSnapshot order)
    {
        var asked = history.Lines("Z").Select(static line => (Pause: DurableHistory.Number(line[1]), At: DurableHistory.Number(line[2]))).ToList();
        var woke = history.Lines("W").Select(static line => DurableHistory.Number(line[1])).ToList();
        Assert.NotEmpty(woke);
        Assert.True(woke[0] >= asked[0].At + asked[0].Pause, $"{order.TaskId} slept for {woke[0] - asked[0].At} ms in all.");
    }

    private static void CheckReader(DurableHistory history, TaskSnapshot reader, Dictionary<(string TaskId, string Step), string> receipts)
    {
        Assert.Equal(
            new[] { "m1", "m2", "m3" }.Select(content => (content, receipts[(reader.TaskId, $"answer/{content}")])),
            reader.Result!.Value.EnumerateObject().Select(static answer => (answer.Name, answer.Value.GetString()!)).OrderBy(static answer => answer.Name));

        // However often a message was posted under its id, it is in the mailbox once.
        var read = history.Lines("R").Select(static line => (line[1], line[2])).Distinct();
        Assert.Equal([("1", "m1"), ("2", "m2"), ("3", "m3")], read.Order());
    }
}
