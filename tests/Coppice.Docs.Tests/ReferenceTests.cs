using System.Text.RegularExpressions;

namespace Coppice.Docs.Tests;

/// <summary>What the reference lists is what the code has, so that neither can grow without the other.</summary>
public sealed partial class ReferenceTests
{
    public static TheoryData<string> OptionNames =>
        [.. typeof(BackgroundTaskOptions).GetProperties().Select(property => property.Name)];

    [Theory]
    [MemberData(nameof(OptionNames))]
    public void Every_option_is_listed(string option) =>
        Assert.Contains($"\n| `{option}` |", Pages.Read("docs/reference/options.md"), StringComparison.Ordinal);

    public static TheoryData<string> SqliteOptionNames =>
        [.. typeof(SqliteTaskStoreOptions).GetProperties().Select(property => property.Name)];

    [Theory]
    [MemberData(nameof(SqliteOptionNames))]
    public void Every_option_of_the_sqlite_store_is_listed(string option) => Every_option_is_listed(option);

    public static TheoryData<string> AgentsOptionNames =>
    [
        .. new[] { typeof(BackgroundTaskChatClientOptions), typeof(AgentRunOptions), typeof(BackgroundTaskToolOptions), typeof(BackgroundFunctionOptions) }
            .SelectMany(options => options.GetProperties())
            .Select(property => property.Name)
            .Distinct(),
    ];

    [Theory]
    [MemberData(nameof(AgentsOptionNames))]
    public void Every_option_of_the_agents_is_listed(string option) => Every_option_is_listed(option);

    [Fact]
    public void Every_error_code_is_listed() => AssertListed("docs/reference/errors.md", "src", "*.cs", ErrorCode(), 10);

    [Fact]
    public void Every_log_event_is_listed() => AssertListed("docs/reference/logs.md", "src", "Log.cs", LogEvent(), 10);

    [Fact]
    public void Every_instrument_span_and_tag_is_listed() => AssertListed("docs/reference/metrics.md", "src/Coppice/Diagnostics", "*.cs", Telemetry(), 10);

    [Fact]
    public void Every_instrument_of_the_postgresql_store_is_listed() =>
        AssertListed("docs/reference/metrics.md", "src/Coppice.PostgreSql", "*Metrics.cs", Telemetry(), 8);

    [Fact]
    public void Every_exit_code_is_listed() => AssertListed("docs/reference/command.md", "src", "ExitCodes.cs", ExitCode(), 5);

    /// <summary>Everything that the pattern finds in the sources stands in a table of the page.</summary>
    private static void AssertListed(string page, string folder, string files, Regex pattern, int atLeast)
    {
        var text = Pages.Read(page);
        var found = Directory.EnumerateFiles(Path.Combine(Pages.Root, folder), files, SearchOption.AllDirectories)
            .SelectMany(file => pattern.Matches(File.ReadAllText(file)))
            .Select(match => match.Groups["name"].Value)
            .ToHashSet();

        Assert.True(found.Count >= atLeast, $"Only {found.Count} found; does the pattern still fit the sources?");
        Assert.All(found, name => Assert.Contains($"\n| `{name}` |", text, StringComparison.Ordinal));
    }

    [GeneratedRegex("""(?:(?:code: |base\(|=> \(?|inner, |null, )"(?<name>(?!input_required|done_only|each_event|handed_back|finished_first|still_running)[a-z]+(?:_[a-z]+)+)"[,;)])""")]
    private static partial Regex ErrorCode();

    [GeneratedRegex("""\[LoggerMessage\((?:EventId = )?(?<name>[0-9]+),""")]
    private static partial Regex LogEvent();

    [GeneratedRegex(""""(?<name>coppice(?:\.[a-z_]+)+)"""")]
    private static partial Regex Telemetry();

    [GeneratedRegex("public const int [A-Za-z]+ = (?<name>[0-9]+);")]
    private static partial Regex ExitCode();
}
