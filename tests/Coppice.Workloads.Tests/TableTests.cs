namespace Coppice.Workloads.Tests;

public sealed class TableTests
{
    private static readonly Line Rate = new("rate", "A rate", "tasks/s", "per_second", Goal.RatioAtLeast(0.6));

    [Fact]
    public void A_ratio_is_the_median_of_the_pairs_and_not_the_ratio_of_the_medians()
    {
        var (row, result) = Measured(Rate, (10, 10), (30, 10), (90, 300));

        var line = TableLine.Of(row, Rate, result);

        Assert.Equal(30, line.Ours);
        Assert.Equal(10, line.Floor);
        Assert.Equal(1, line.Ratio);
        Assert.Equal(0.3, line.LowestRatio);
        Assert.Equal(3, line.HighestRatio);
    }

    [Theory]
    [InlineData(6, true)]
    [InlineData(5.9, false)]
    public void A_goal_of_at_least_is_met_from_its_value_up(double ours, bool isMet)
    {
        var (row, result) = Measured(Rate, (ours, 10));

        Assert.Equal(isMet, TableLine.Of(row, Rate, result).IsMet);
    }

    [Theory]
    [InlineData(20, true)]
    [InlineData(20.1, false)]
    public void A_goal_of_at_most_is_met_up_to_its_value(double ours, bool isMet)
    {
        var bytes = Rate with { Goal = Goal.RatioAtMost(2) };
        var (row, result) = Measured(bytes, (ours, 10));

        Assert.Equal(isMet, TableLine.Of(row, bytes, result).IsMet);
    }

    [Fact]
    public void A_goal_for_the_figure_itself_needs_no_floor()
    {
        var time = Rate with { Goal = Goal.AtMost(300) };
        var row = new Row("row", new("spawn", "", ""), Floor: null, time);
        var result = MeasurementTests.NewResult("row");
        result.Ours.AddRange([new() { ["per_second"] = 299 }, new() { ["per_second"] = 299 }, new() { ["per_second"] = 5000 }]);

        var line = TableLine.Of(row, time, result);

        Assert.True(line.IsMet);
        Assert.Null(line.Ratio);
    }

    [Fact]
    public void A_missed_goal_stands_in_the_table_with_its_reason()
    {
        var measured = Measured(Rate, (5, 10));

        var table = TableText.Render([measured], Notes.Parse("# Reasons\n\n- `rate`: The laws\n  cost that.\n- `other`: no.\n"));

        Assert.Contains(
            "| A rate | 5.00 tasks/s | 10.0 tasks/s | 0.50 (0.50 to 0.50) | at least 0.6 × | no | The laws cost that. |", table, StringComparison.Ordinal);
        Assert.Contains("2026-01-31 at commit 0123456789", table, StringComparison.Ordinal);
    }

    [Fact]
    public void Counts_that_are_exact_are_named_and_do_not_count_among_the_runs()
    {
        var timed = Measured(Rate, (5, 10), (6, 10), (7, 10));
        var (row, result) = Measured(Rate, (0, 1));

        var table = TableText.Render([timed, (row with { Name = "counted", IsExact = true }, result)], Notes.Parse(""));

        Assert.Contains("medians of 3 runs", table, StringComparison.Ordinal);
        Assert.Contains("Exact counts, one run each: counted.", table, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missed_goal_without_a_reason_says_so() =>
        Assert.Contains("| no | not explained yet |", TableText.Render([Measured(Rate, (5, 10))], Notes.Parse("")), StringComparison.Ordinal);

    [Fact]
    public void The_written_part_of_a_page_is_replaced_and_nothing_else() =>
        Assert.Equal(
            "before\n<!-- table -->\nnew\n<!-- /table -->\nafter\n",
            MarkedText.Replaced("before\n<!-- table -->\nold\n<!-- /table -->\nafter\n", "table", "new\n"));

    [Fact]
    public void A_page_without_the_place_is_refused() =>
        Assert.Throws<InvalidOperationException>(() => MarkedText.Replaced("no place", "table", "new"));

    [Fact]
    public void Results_come_back_as_they_were_kept()
    {
        using var folder = new ScratchFolder();
        var (_, result) = Measured(Rate, (1, 2), (3, 4));

        result.Save(Path.GetDirectoryName(folder.File("x"))!);
        var loaded = RowResult.Load(Path.GetDirectoryName(folder.File("x"))!, "row")!;

        Assert.Equal([1, 3], loaded.Ours.Select(figures => figures["per_second"]));
        Assert.Equal([2, 4], loaded.Floor.Select(figures => figures["per_second"]));
        Assert.Equal(result.Machine, loaded.Machine);
    }

    [Theory]
    [InlineData("Coppice.LiveTask", "LiveTask")]
    [InlineData("System.Collections.Concurrent.ConcurrentDictionary`2+Node[System.String,Coppice.LiveTask]", "ConcurrentDictionary.Node<String,LiveTask>")]
    [InlineData("Coppice.MailEvent[]", "MailEvent[]")]
    public void Types_read_without_what_only_the_runtime_needs(string type, string readable) => Assert.Equal(readable, AllocationTable.Readable(type));

    [Fact]
    public void Every_name_in_the_list_of_reasons_is_a_line_of_the_table()
    {
        var names = Rows.All.SelectMany(row => row.Lines).Select(line => line.Name).ToList();

        Assert.Equal(names.Count, names.Distinct().Count());
        Assert.All(Notes.Load(Repository.PathOf("bench", "reasons.md")).Names, name => Assert.Contains(name, names));
    }

    private static (Row Row, RowResult Result) Measured(Line line, params (double Ours, double Floor)[] runs)
    {
        var row = new Row("row", new("spawn", "", ""), new("spawn-floor", "", ""), line);
        var result = MeasurementTests.NewResult("row");
        result.Ours.AddRange(runs.Select(run => new Figures { ["per_second"] = run.Ours }));
        result.Floor.AddRange(runs.Select(run => new Figures { ["per_second"] = run.Floor }));
        return (row, result);
    }
}
