namespace Coppice.Workloads;

/// <summary>What the table shows of PostgreSQL.</summary>
internal static class PostgresRows
{
    // "At most 1.3 times apart", of what should be much.
    private const double Apart = 1 / 1.3;

    // "Does not fall", by no more than what runs of one and the same differ.
    private const double NotLess = 0.95;

    internal static IReadOnlyList<Row> All { get; } =
    [
        Stored(1, 4000, 0.8),
        Stored(256, 60_000, 0.7),
        new(
            "postgres-quartz",
            new("postgres", "tasks=60000 callers=256", "tasks=512 callers=256 unmeasured=256"),
            new("postgres-quartz", "tasks=1024 callers=256", "tasks=32 callers=16 unmeasured=16"),
            new Line(
                "postgres-quartz", "The same; beside it a peer, Quartz.NET 4.7.3, clustered on the same database", "tasks/s", "per_second", Goal.None)
            {
                FloorIs = "Quartz",
            })
        {
            Runs = 3,
            IsOnServer = true,
        },
        new(
            "postgres-hosts",
            new("postgres-hosts", "tasks=20000 hosts=1,2,4", "tasks=120 hosts=1,2,4 unmeasured=64"),
            Floor: null,
            Rate("postgres-hosts-1", "PostgreSQL: 20,000 pending tasks of a registered kind, claimed and finished by 1 host process", "per_second_1"),
            ThanOne("postgres-hosts-2", "by 2 host processes; beside it by 1", "per_second_2"),
            Rate("postgres-hosts-2-least", "of which the host that did the least", "least_2"),
            Rate("postgres-hosts-2-most", "and the one that did the most", "most_2"),
            ThanOne("postgres-hosts-4", "by 4 host processes; beside it by 1", "per_second_4"),
            Rate("postgres-hosts-4-least", "of which the host that did the least", "least_4"),
            Rate("postgres-hosts-4-most", "and the one that did the most", "most_4"))
        {
            IsOnServer = true,
        },
        new(
            "postgres-across",
            new("postgres-across", "probes=300 seconds=3", "probes=10 seconds=0.3"),
            Floor: null,
            [
                Rate(
                    "postgres-across-load",
                    "PostgreSQL: tasks of 2 host processes under half load, spawned and ended, while what follows was measured", "load_per_second"),
                .. Across("", AcrossGoal),
            ])
        {
            IsOnServer = true,
        },
        new(
            "postgres-killed",
            new("postgres-killed", "kills=3", "kills=1 tasks=5"),
            Floor: null,
            new Line(
                "postgres-killed", "PostgreSQL: from the SIGKILL of a host until another has settled its 100 tasks, the longest of three", "ms", "ms",
                Goal.AtMost(1000)))
        {
            IsOnServer = true,
        },
        Silent("postgres-silent", "default", 15),
        Silent("postgres-silent-5", "5 s", 5),
        Beside(
            "1", "postgres", "tasks=2000 callers=1", "tasks=40 callers=1 unmeasured=10",
            new Line("postgres-beside-1", Title("spawn and end acknowledged, 1 caller"), "tasks/s", "per_second", Goal.RatioAtLeast(Apart))),
        Beside(
            "256", "postgres", "tasks=40000 callers=256", "tasks=512 callers=256 unmeasured=256",
            new Line("postgres-beside-256", Title("spawn and end acknowledged, 256 callers"), "tasks/s", "per_second", Goal.RatioAtLeast(Apart))),
        Beside(
            "hosts", "postgres-hosts", "tasks=20000 hosts=2", "tasks=120 hosts=2 unmeasured=64",
            new Line("postgres-beside-hosts", Title("claimed and finished by 2 host processes"), "tasks/s", "per_second_2", Goal.RatioAtLeast(Apart))),
        Beside(
            "across", "postgres-across", "probes=300 seconds=3", "probes=10 seconds=0.3",
            [.. Across("beside-", static _ => Goal.RatioAtMost(1.3))]),
        Beside(
            "killed", "postgres-killed", "kills=3", "kills=1 tasks=5",
            new Line("postgres-beside-killed", Title("from the SIGKILL of a host until its tasks are settled"), "ms", "ms", Goal.RatioAtMost(1.3))),
    ];

    private static Row Stored(int callers, int tasks, double goal)
    {
        var full = $"tasks={tasks} callers={callers}";
        var quick = $"tasks={(callers == 1 ? 40 : 512)} callers={callers} unmeasured={callers}";
        return new(
            $"postgres-{callers}",
            new("postgres", full, quick),
            new("postgres-floor", full, quick) { Takes = "group" },
            new Line(
                $"postgres-{callers}", $"PostgreSQL, spawn and end acknowledged, {Rows.Count(callers)}", "tasks/s", "per_second", Goal.RatioAtLeast(goal)))
        {
            IsOnServer = true,
        };
    }

    private static Line Rate(string name, string title, string figure) => new(name, title, "tasks/s", figure, Goal.None);

    private static Line ThanOne(string name, string title, string figure) => new(name, title, "tasks/s", figure, Goal.RatioAtLeast(NotLess))
    {
        Against = "per_second_1",
        FloorIs = "1 host",
    };

    private static Row Silent(string name, string timeout, int seconds) => new(
        name,
        new("postgres-silent", $"timeout={seconds}", "timeout=2 tasks=5"),
        Floor: null,
        new Line(
            name,
            "PostgreSQL: from the moment that a host falls silent, whose connections stay, until another has settled its 100 tasks; "
                + $"`HostTimeout` {timeout}",
            "s", "seconds", Goal.AtMost(seconds)))
    {
        Runs = 3,
        IsOnServer = true,
    };

    private static IEnumerable<Line> Across(string beside, Func<string, Goal> goal)
    {
        foreach (var (what, title) in ((string, string)[])[
            ("cancel", "a cancel, until the body on the other host sees it"),
            ("message", "a message, until the agent on the other host has read it"),
            ("mail", "the end of a task, until the reader on the other host has its event")])
        {
            foreach (var (part, words) in ((string, string)[])[("p50", "half of them"), ("p99", "99 %")])
            {
                var text = $"{title}: {words}";
                yield return new(
                    $"postgres-{beside}{what}-{part}", beside.Length > 0 ? Title(text) : text, "ms", $"{what}_{part}_ms", goal(part));
            }
        }
    }

    private static Goal AcrossGoal(string part) => Goal.AtMost(part == "p50" ? 3 : 20);

    private static Row Beside(string name, string measurement, string full, string quick, params Line[] lines) => new(
        $"postgres-beside-{name}",
        new(measurement, full + " beside=1000000", quick + " beside=2000"),
        new(measurement, full + " beside=100", quick + " beside=100"),
        [.. lines.Select(static line => line with { FloorIs = "beside 100" })])
    {
        File = new("make-postgres", "tasks=1000000", "tasks=2000"),
        IsOnServer = true,
    };

    private static string Title(string what) => $"PostgreSQL with 1,000,000 tasks in the tables, against with 100: {what}";
}
