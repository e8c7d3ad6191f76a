using Coppice.Cli.Survey;

namespace Coppice.Cli.Tests.Survey;

public sealed class TaskNamesTests
{
    [Theory]
    [InlineData("src")]
    [InlineData("src/Coppice.Cli")]
    [InlineData("a [b] c")]
    [InlineData("漢字")]
    [InlineData(".")]
    [InlineData("bg_x")]
    public void A_path_that_can_be_a_name_is_the_name(string path) => Assert.Equal(path, TaskNames.ForFolder(path));

    public static TheoryData<string> StrangePaths =>
    [
        "", " ", " lead", "trail ", "a\nb", "a\u001b[2Jb", "x\u202ey", "self", "ALL", "Parent", "broadcast", "surveyor", "bg_1", "BG_٣",
        "a\ud800b", "a\udc00b", "a\ufffdb", new string('x', 129), new string('漢', 500), "plain~0123456789ab", "a/" + new string('漢', 130) + "🌳",
    ];

    [Theory]
    [MemberData(nameof(StrangePaths))]
    public void Any_other_gets_a_valid_name_of_its_own(string path)
    {
        var name = TaskNames.ForFolder(path);

        Assert.InRange(name.Length, 1, 128);
        Assert.Equal(name.Trim(), name);
        Assert.DoesNotContain(name, char.IsControl);
        Assert.False(TaskIds.HasForm(name));
        Assert.DoesNotContain(name.EnumerateRunes(), rune => rune.Value == 0xfffd && !path.Contains('\ufffd', StringComparison.Ordinal) && !HasLoneSurrogate(path));
        Assert.Equal(name, new string(name.EnumerateRunes().SelectMany(rune => rune.ToString()).ToArray()));
        Assert.NotEqual(path, name);
    }

    [Fact]
    public void No_two_paths_share_a_name()
    {
        string[] paths = [.. StrangePaths.Select(row => row.Data), "a\\nb", "a b", "lead", "trail", "a\ufffd\ufffdb", TaskNames.ForFolder("a\nb"), TaskNames.ForFolder(new string('x', 129))];

        Assert.Equal(paths.Length, paths.Select(TaskNames.ForFolder).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public async Task Every_name_is_taken_by_a_manager()
    {
        await using var store = new InMemoryTaskStore();
        await using var manager = await BackgroundTaskManager.StartAsync(store, cancellationToken: TestContext.Current.CancellationToken);
        foreach (var row in StrangePaths)
        {
            await manager.SpawnAsync(
                "t", context => context.WhenCancelledAsync(), new SpawnOptions { Name = TaskNames.ForFolder(row.Data) }, TestContext.Current.CancellationToken);
        }
    }

    private static bool HasLoneSurrogate(string text) => text.EnumerateRunes().Any(rune => rune.Value == 0xfffd);
}
