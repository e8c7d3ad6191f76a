namespace Coppice.Workloads.Tests;

/// <summary>That what the table is made of can be measured, at tiny sizes, and that the floors do what ours does.</summary>
public sealed class MeasurementTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static TheoryData<string> AllRows => [.. Rows.All.Where(row => row.File is null).Select(row => row.Name)];

    [Theory]
    [MemberData(nameof(AllRows))]
    public async Task Each_row_is_measured_and_has_every_figure_of_its_lines(string name)
    {
        var row = Rows.All.Single(row => row.Name == name);
        var result = NewResult(name);
        result.Ours.Add(await Measurements.All[row.Ours.Measurement](Parameters.Parse(row.Ours.Quick.Split(' '))));
        if (row.Floor is { } floor)
        {
            result.Floor.Add(await Measurements.All[floor.Measurement](Parameters.Parse(floor.Quick.Split(' '))));
        }

        Assert.All(row.Lines, line => Assert.True(double.IsFinite(TableLine.Of(row, line, result).Ours)));
        Assert.All(row.Lines, line => Assert.True(TableLine.Of(row, line, result).Ratio is not { } ratio || double.IsFinite(ratio)));
    }

    [Fact]
    public async Task The_start_is_measured_on_a_file_of_finished_tasks_that_is_made_once()
    {
        using var folder = new ScratchFolder();
        var row = Rows.All.Single(row => row.Name == "sqlite-start");
        var parameters = Parameters.Parse(["tasks=300", $"path={folder.File("finished.db")}"]);

        var first = await FinishedFile.MakeAsync(parameters);
        var second = await FinishedFile.MakeAsync(parameters);
        var ours = await Measurements.All[row.Ours.Measurement](parameters);
        var floor = await Measurements.All[row.Floor!.Measurement](parameters);

        Assert.Equal(300, first["made"]);
        Assert.Equal(0, second["made"]);
        Assert.True(ours["ms"] > 0);
        Assert.True(floor["ms"] > 0);
    }

    [Fact]
    public async Task The_first_body_is_measured_on_a_file_of_pending_tasks_which_are_still_there_afterwards()
    {
        using var folder = new ScratchFolder();
        var row = Rows.All.Single(row => row.Name == "durable-start");
        var parameters = Parameters.Parse(["tasks=300", $"path={folder.File("pending.db")}"]);

        await Measurements.All[row.File!.Measurement](parameters);
        var ours = await Measurements.All[row.Ours.Measurement](parameters);

        Assert.InRange(ours["ms"], ours["open_ms"], double.MaxValue);
        await using var store = await SqliteTaskStore.OpenAsync(folder.File("pending.db"), cancellationToken: Stop);
        var tasks = await store.ListAsync(new TaskQuery(), after: null, limit: 1000, Stop);
        Assert.Equal(300, tasks.Count(task => task is { State: TaskState.Pending, Work.Attempt: 0 }));
    }

    [Fact]
    public async Task Delayed_tasks_stay_in_their_file_while_others_beside_them_are_due()
    {
        using var folder = new ScratchFolder();
        var row = Rows.All.Single(row => row.Name == "delayed");
        string[] path = ["tasks=300", $"path={folder.File("delayed.db")}"];

        await Measurements.All[row.File!.Measurement](Parameters.Parse(path));
        var ours = await Measurements.All[row.Ours.Measurement](Parameters.Parse([.. path, .. row.Ours.Quick.Split(' ')]));
        var none = await Measurements.All[row.Floor!.Measurement](Parameters.Parse(row.Floor.Quick.Split(' ')));

        Assert.All(row.Lines, line => Assert.True(double.IsFinite(ours[line.Figure]) && double.IsFinite(none[line.Figure])));
        Assert.True(ours["late_p50_ms"] >= 0, "A body began before its time.");
        await using var store = await SqliteTaskStore.OpenAsync(folder.File("delayed.db"), cancellationToken: Stop);
        var tasks = await store.ListAsync(new TaskQuery(), after: null, limit: 1000, Stop);
        Assert.Equal(300, tasks.Count(task => task is { State: TaskState.Pending, Work.DueAt: not null }));
    }

    [Fact]
    public Task The_floor_of_sqlite_writes_the_rows_that_the_store_writes() => FloorAgreement.CheckAsync();

    [Fact]
    public Task The_floor_of_sqlite_writes_the_rows_that_the_store_writes_of_registered_kinds() => FloorAgreement.CheckDurableAsync();

    internal static RowResult NewResult(string row) => new()
    {
        Row = row,
        Commit = "0123456789",
        Date = "2026-01-31",
        Machine = new()
        {
            Cores = 2,
            System = "a system",
            Architecture = "X64",
            Runtime = ".NET 10",
            Collector = "workstation",
            FileSystem = "ext4",
            SyncMicroseconds = 100,
        },
    };
}
