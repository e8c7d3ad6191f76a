namespace Coppice.Tests.Tasks;

public sealed class TaskIdsTests
{
    [Theory]
    [InlineData("bg_0", 0)]
    [InlineData("bg_7", 7)]
    [InlineData("bg_10", 10)]
    [InlineData("bg_9007199254740991", 9007199254740991)]
    [InlineData("bg_9007199254740992", 9007199254740992)]
    public void An_id_in_its_one_form_gives_its_number_and_comes_back_from_it(string id, long number)
    {
        Assert.True(TaskIds.TryParse(id, out var parsed));
        Assert.Equal(number, parsed);
        Assert.Equal(id, TaskIds.Format(number));
    }

    [Theory]
    [InlineData("")]
    [InlineData("bg_")]
    [InlineData("bg")]
    [InlineData("7")]
    [InlineData("BG_7")]
    [InlineData("Bg_7")]
    [InlineData("bg_00")]
    [InlineData("bg_07")]
    [InlineData("bg_-1")]
    [InlineData("bg_+1")]
    [InlineData("bg_1 ")]
    [InlineData(" bg_1")]
    [InlineData("bg_1.0")]
    [InlineData("bg_1e3")]
    [InlineData("bg_0x1")]
    [InlineData("bg_٣")]
    [InlineData("bg_9007199254740993")]
    [InlineData("bg_9999999999999999")]
    [InlineData("bg_10000000000000000")]
    [InlineData("bg_18446744073709551616")]
    [InlineData("bg_99999999999999999999999999999999999999")]
    public void Anything_else_is_no_counted_id(string id) => Assert.False(TaskIds.TryParse(id, out _));

    [Theory]
    [InlineData("bg_0")]
    [InlineData("bg_1")]
    [InlineData("BG_1")]
    [InlineData("Bg_1")]
    [InlineData("bG_007")]
    [InlineData("bg_00")]
    [InlineData("bg_99999999999999999999999999999999999999")]
    public void A_name_that_looks_like_an_id_in_any_case_has_its_form(string name) => Assert.True(TaskIds.HasForm(name));

    [Theory]
    [InlineData("")]
    [InlineData("bg_")]
    [InlineData("bg1")]
    [InlineData("bg_a")]
    [InlineData("bg_1a")]
    [InlineData("bg_1_2")]
    [InlineData("xbg_1")]
    [InlineData("bg-1")]
    [InlineData("researcher")]
    public void Another_name_does_not(string name) => Assert.False(TaskIds.HasForm(name));

    [Fact]
    public void Lists_run_by_time_then_number_then_text()
    {
        var early = DateTimeOffset.UnixEpoch;
        TaskCursor[] expected =
        [
            new(early, "bg_2"),
            new(early, "bg_10"),
            new(early, "BG_1"),
            new(early, "other"),
            new(early.AddMilliseconds(1), "bg_0"),
        ];
        TaskCursor[] mixed = [.. expected.Reverse()];

        Array.Sort(mixed, TaskCursor.Compare);

        Assert.Equal(expected, mixed);
        Assert.Equal(0, TaskCursor.Compare(expected[0], TaskCursor.After(new() { TaskId = "bg_2", CreatedAt = early })));
    }
}
