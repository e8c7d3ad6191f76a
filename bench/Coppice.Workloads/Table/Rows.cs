namespace Coppice.Workloads;

/// <summary>Everything that the table shows, in its order.</summary>
internal static class Rows
{
    private const string Spawns = "tasks/s";
    private const string Polling = "polling";

    internal static IReadOnlyList<Row> All { get; } =
    [
        Spawn(1, background: null),
        Spawn(2, background: null),
        Spawn(1, background: false),
        Spawn(2, background: false),
        new(
            "spawn-quartz",
            new("spawn", "tasks=50000 callers=1", "tasks=2000 callers=1 warmup=0"),
            new("quartz", "tasks=50000", "tasks=500 warmup=0"),
            new Line("spawn-quartz", "The same with 50,000 tasks; beside it a peer, Quartz.NET 4.7.3 with RAMJobStore", Spawns, "per_second", Goal.None)
            {
                FloorIs = "Quartz",
            }),
        new(
            "parked",
            new("parked", "tasks=100000 body=context", "tasks=1000 body=context"),
            new("parked-floor", "tasks=100000", "tasks=1000"),
            new Line("parked", "A parked task at 100,000, by `WhenCancelledAsync`", "B", "bytes", Goal.RatioAtMost(2))),
        new(
            "parked-token",
            new("parked", "tasks=100000 body=token", "tasks=1000 body=token"),
            new("parked-floor", "tasks=100000", "tasks=1000"),
            new Line("parked-token", "A parked task at 100,000, on its token as the floor parks", "B", "bytes", Goal.RatioAtMost(2))),
        new(
            "crowd",
            new("crowd", "few=100 many=1000000", "few=100 many=2000 rounds=6 calls=500"),
            Floor: null,
            Crowd("get", "get"),
            Crowd("has_running", "has-running"),
            Crowd("name_check", "name check"),
            Crowd("cancel", "cancel one"),
            Crowd("send", "send"),
            new Line("get-time", "get, beside 1,000,000 others", "ns", "get_many", Goal.AtMost(1000))),
        new(
            "messages",
            new("messages", "messages=300000 read=one", "messages=2000 read=one warmup=0"),
            Floor: null,
            new Line("messages", "Messages to one agent, each read and acknowledged alone", "messages/s", "per_second", Goal.AtLeast(300_000))),
        new(
            "messages-batches",
            new("messages", "messages=300000 read=batches", "messages=2000 read=batches warmup=0"),
            Floor: null,
            new Line(
                "messages-batches", "Messages to one agent, acknowledged together with what had come meanwhile", "messages/s", "per_second",
                Goal.AtLeast(300_000))),
        Cancel("cancel-tree", "parked", ""),
        Cancel("cancel-tree-throwing", "throwing", " that end by the exception of their token"),
        Stored(1, 4000, 0.8),
        Stored(256, 80_000, 0.7),
        new(
            "sqlite-start",
            new("start", "tasks=1000000", "tasks=2000"),
            new("start-floor", "", ""),
            new Line("sqlite-start", "SQLite: start with 1,000,000 finished tasks in the file, cold process", "ms", "ms", Goal.AtMost(300)),
            new Line("sqlite-start-memory", "SQLite: managed memory a finished task in the file, after the start", "B", "bytes_a_task", Goal.AtMost(16))
            {
                Against = "",
            })
        {
            File = new("make-finished", "tasks=1000000", "tasks=2000"),
        },
        new(
            "sqlite-memory",
            new("finished-memory", "tasks=100000", "tasks=1024"),
            Floor: null,
            new Line("sqlite-memory", "SQLite: managed memory that a task leaves when it was run to its end", "B", "bytes_a_task", Goal.AtMost(16))),
        Durable(1, tasks: 4000, unmeasured: 1500),
        Durable(256, tasks: 100_000, unmeasured: 100_000),
        DurableInMemory(1),
        DurableInMemory(2),
        new(
            "durable-allocations",
            new("allocations", "tasks=200000 rounds=1 of=durable", "tasks=2000 rounds=1 of=durable warmup=0"),
            Floor: null,
            new Line("durable-allocations", "Allocated from spawn to terminal by a task of a registered kind, in memory", "B", "bytes", Goal.None)),
        new(
            "step",
            new("step", "steps=1000", "steps=40 unmeasured=20"),
            new("step-floor", "steps=1000", "steps=40 unmeasured=20"),
            new Line("step", "SQLite: a step of a task; beside it a commit of the store that writes one row", "µs", "us", Goal.RatioAtMost(1.3))
            {
                Against = "commit_us", FloorIs = "commit", IsWithin = true,
            },
            new Line("step-row", "the same; beside it the step's row alone, in a transaction of its own", "µs", "us", Goal.None)),
        FirstBody("durable-start", "100,000", 100_000, Goal.AtMost(500)),
        FirstBody("durable-start-million", "1,000,000", 1_000_000, Goal.None),
        new(
            "delayed",
            new("delayed", "due=1000", "due=20 seconds=1"),
            new("delayed-none", "due=1000", "due=20 seconds=1"),
            new Line("delayed-memory", "SQLite: resident memory of a process with 1,000,000 delayed tasks; beside it one with none", "MB", "resident_mb", Goal.RatioAtMost(1.3))
            {
                FloorIs = "none",
            },
            new Line("delayed-managed", "the managed memory in it", "MB", "managed_mb", Goal.None) { FloorIs = "none" },
            Late("delayed-late-p50", "1,000 tasks due within 4 seconds: how late they begin, the median; beside it bare timers", "p50", Goal.None),
            Late("delayed-late-p99", "the same, 99 %", "p99", Goal.None),
            Late("delayed-late", "the same, the last", "max", Goal.AtMost(50)))
        {
            File = new("make-delayed", "tasks=1000000", "tasks=2000"),
        },
        new(
            "delayed-in-memory",
            new("delayed-in-memory", "tasks=1000000 due=1000", "tasks=2000 due=20 seconds=1"),
            Floor: null,
            new Line("delayed-in-memory", "In memory: managed memory a delayed task, at 1,000,000", "B", "bytes_a_task", Goal.None),
            Late("delayed-in-memory-late-p50", "1,000 tasks due within 4 seconds beside those: how late they begin, the median; beside it bare timers", "p50", Goal.None),
            Late("delayed-in-memory-late-p99", "the same, 99 %", "p99", Goal.None),
            Late("delayed-in-memory-late", "the same, the last", "max", Goal.None)),
        .. PostgresRows.All,
        new(
            "agent",
            new("told", "tasks=20 histories=200", "tasks=6 histories=3"),
            new("polled", "tasks=20 histories=200", "tasks=6 histories=3"),
            new Line(
                "agent-calls", "A model's calls because of 20 background tasks of 1 to 60 s, when it is told; beside it, when it polls every 2 s",
                "calls", "calls", Goal.None)
            {
                FloorIs = Polling,
            },
            new Line("agent-characters", "the characters that these calls send", "characters", "characters", Goal.None) { FloorIs = Polling },
            new Line("agent-idle-calls", "the calls while nothing has happened", "calls", "idle_calls", Goal.AtMost(0)) { Against = "" },
            new Line("agent-calls-a-batch", "the calls for each batch of tasks that end at one moment", "calls", "calls_a_batch", Goal.AtMost(1))
            {
                Against = "",
            })
        {
            IsExact = true,
        },
        Crashes("agent-crashes", "responses", "and that keeps a turn's response when it has it"),
        Crashes("agent-crashes-streaming", "updates", "and that keeps a turn's updates as they come"),
        Crashes("agent-crashes-messages", "messages", "and that keeps the messages of each step (`OnMessages`)"),
        new(
            "background-call",
            new("function-call", "calls=50000 how=background", "calls=500 how=background warmup=0"),
            new("function-call", "calls=500000 how=itself", "calls=500 how=itself warmup=0"),
            new Line(
                "background-call", "A call in the background, until its task's id is there, in memory; beside it the function itself", "µs", "us",
                Goal.AtMost(20))
            {
                FloorIs = "itself",
            }),
        new(
            "allocations",
            new("allocations", "tasks=200000 rounds=10", "tasks=2000 rounds=1 warmup=0"),
            Floor: null,
            new Line("allocations", "Allocated from spawn to terminal, in memory (line by line in `bench/README.md`)", "B", "bytes", Goal.None)),
    ];

    private static Row Crashes(string name, string keeps, string history) => new(
        name,
        new("told-crashes", $"tasks=20 histories=1000 keeps={keeps}", $"tasks=5 histories=10 keeps={keeps}"),
        Floor: null,
        new Line(
            name, $"Ends of tasks that a model never hears of, in 1,000 conversations of an application that dies in a turn {history}", "ends",
            "missed", Goal.AtMost(0)),
        new Line(name + "-history", "the ends that the history lacks that the application has kept", "ends", "not_in_history", Goal.AtMost(0)),
        new Line(name + "-idle-calls", "the calls while nothing has happened", "calls", "idle_calls", Goal.AtMost(0)))
    {
        IsExact = true,
    };

    private static Row Spawn(int callers, bool? background)
    {
        var name = $"spawn-{callers}{(background is null ? "" : "-without-background-gc")}";
        var full = $"tasks=1000000 callers={callers}";
        var quick = $"tasks=5000 callers={callers} warmup=0";
        var title = background is null
            ? $"1,000,000 tasks from spawn to terminal in memory, {Count(callers)}"
            : $"the same without background collection, {Count(callers)}";
        return new(
            name,
            new("spawn", full, quick) { BackgroundCollection = background },
            new("spawn-floor", full, quick) { BackgroundCollection = background },
            new Line(name, title, Spawns, "per_second", background is null ? Goal.RatioAtLeast(0.6) : Goal.None));
    }

    private static Line Crowd(string figure, string title) =>
        new($"crowd-{title}", $"{title}: beside 1,000,000 others, against beside 100", "ns", figure + "_many", Goal.RatioAtMost(1.3))
        {
            Against = figure + "_few",
            FloorIs = "beside 100",
        };

    private static Row Cancel(string name, string body, string how) => new(
        name,
        new("cancel-tree", $"tasks=10000 body={body}", $"tasks=100 body={body} warmup=0"),
        new("cancel-floor", $"tasks=10000 body={body}", $"tasks=100 body={body} warmup=0"),
        new Line(name, $"Cancel of a tree of 10,000 parked tasks{how}, until all are terminal", "ms", "all_ms", Goal.RatioAtMost(4)),
        new Line(name + "-call", "the call alone, against the calls alone", "ms", "call_ms", Goal.RatioAtMost(4)))
    {
        Runs = 9,
    };

    private static Row Stored(int callers, int tasks, double goal) => new(
        $"sqlite-{callers}",
        new("sqlite", $"tasks={tasks} callers={callers}", $"tasks={(callers == 1 ? 40 : 512)} callers={callers} unmeasured={callers}"),
        new("sqlite-floor", $"tasks={tasks} callers={callers}", $"tasks={(callers == 1 ? 40 : 512)} callers={callers} unmeasured={callers}") { Takes = "group" },
        new Line($"sqlite-{callers}", $"SQLite, synchronous=FULL, spawn and end acknowledged, {Count(callers)}", Spawns, "per_second", Goal.RatioAtLeast(goal)));

    private static Row Durable(int callers, int tasks, int unmeasured)
    {
        var full = $"tasks={tasks} callers={callers} unmeasured={unmeasured}";
        var quick = $"tasks={(callers == 1 ? 40 : 512)} callers={callers} unmeasured={callers}";
        return new(
            $"durable-{callers}",
            new("durable-sqlite", full, quick),
            new("durable-sqlite-floor", full, quick) { Takes = "group" },
            new Line(
                $"durable-{callers}", $"SQLite, synchronous=FULL, tasks of a registered kind from spawn to end, {Count(callers)}", Spawns, "per_second",
                Goal.RatioAtLeast(0.6)),
            new Line($"durable-{callers}-transactions", "the transactions that it takes", "a task", "transactions_a_task", Goal.None) { Against = "" });
    }

    private static Row DurableInMemory(int callers) => new(
        $"durable-in-memory-{callers}",
        new("durable", $"tasks=500000 callers={callers}", $"tasks=5000 callers={callers} warmup=0"),
        new("durable-floor", $"tasks=500000 callers={callers}", $"tasks=5000 callers={callers} warmup=0"),
        new Line(
            $"durable-in-memory-{callers}", $"500,000 tasks of a registered kind from spawn to terminal in memory, {Count(callers)}", Spawns, "per_second",
            Goal.RatioAtLeast(0.6)));

    private static Row FirstBody(string name, string count, int tasks, Goal goal) => new(
        name,
        new("first-body", "", ""),
        new("start-floor", "", ""),
        new Line(name, $"SQLite: from opening a file with {count} pending tasks to the first body that runs, cold process", "ms", "ms", goal))
    {
        File = new("make-pending", $"tasks={tasks}", "tasks=2000"),
    };

    private static Line Late(string name, string title, string which, Goal goal) =>
        new(name, title, "ms", $"late_{which}_ms", goal) { Against = $"timer_{which}_ms", FloorIs = "timers", IsWithin = true };

    internal static string Count(int callers) => callers == 1 ? "1 caller" : $"{callers} callers";
}
