using System.Text.Json;
using Coppice.Cli.Tests.Support;

namespace Coppice.Cli.Tests.CommandLine;

/// <summary><c>coppice db script</c>.</summary>
public sealed class DbScriptTests
{
    private readonly TestConsole _console = new();

    [Fact]
    public async Task It_writes_the_script_and_nothing_else()
    {
        Assert.Equal(0, await _console.RunAsync("db", "script"));
        Assert.Equal(PostgreSqlSchema.CreateScript(), _console.Out);
        Assert.Empty(_console.Error);
    }

    [Fact]
    public async Task Schema_and_version_are_taken()
    {
        Assert.Equal(0, await _console.RunAsync("db", "script", "--schema", "jobs", "--from", "1"));
        Assert.Equal(PostgreSqlSchema.CreateScript("jobs", 1), _console.Out);
    }

    [Fact]
    public async Task Grants_are_written_instead_for_a_role()
    {
        Assert.Equal(0, await _console.RunAsync("db", "script", "--grant", "My \"App\"", "--schema", "jobs"));
        Assert.Equal(PostgreSqlSchema.CreateGrants("My \"App\"", "jobs"), _console.Out);
        Assert.Contains("TO \"My \"\"App\"\"\";", _console.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task As_JSON_it_says_what_the_script_is_for()
    {
        Assert.Equal(0, await _console.RunAsync("db", "script", "--json"));
        using var json = JsonDocument.Parse(_console.Out);

        Assert.Equal("coppice", json.RootElement.GetProperty("schema").GetString());
        Assert.Equal(0, json.RootElement.GetProperty("from").GetInt32());
        Assert.Equal(PostgreSqlSchema.Version, json.RootElement.GetProperty("to").GetInt32());
        Assert.Equal(PostgreSqlSchema.CreateScript(), json.RootElement.GetProperty("sql").GetString());
    }

    [Fact]
    public async Task Grants_as_JSON_name_the_role()
    {
        Assert.Equal(0, await _console.RunAsync("db", "script", "--json", "--grant", "app"));
        using var json = JsonDocument.Parse(_console.Out);

        Assert.Equal("app", json.RootElement.GetProperty("role").GetString());
        Assert.Equal(PostgreSqlSchema.CreateGrants("app"), json.RootElement.GetProperty("sql").GetString());
    }

    [Theory]
    [InlineData("'coppice db script --help'", "db", "script", "--bogus")]
    [InlineData("'coppice db --help'", "db")]
    [InlineData("'coppice db --help'", "db", "scripts")]
    [InlineData("--from takes a whole number from 0 to", "db", "script", "--from", "-1")]
    [InlineData("--from takes a whole number from 0 to", "db", "script", "--from", "1000")]
    [InlineData("--from takes a whole number from 0 to", "db", "script", "--from", "new")]
    [InlineData("--schema: 'Jobs' is not the name of a schema: lower-case", "db", "script", "--schema", "Jobs")]
    [InlineData("--schema: '' is not the name", "db", "script", "--schema", "")]
    [InlineData("--schema: 'x; DROP SCHEMA y' is not", "db", "script", "--schema", "x; DROP SCHEMA y")]
    [InlineData("--schema: '\\x1b[2J' is not", "db", "script", "--schema", "\u001b[2J")]
    [InlineData("--schema: 'pg_x' is not", "db", "script", "--schema", "pg_x", "--grant", "app")]
    [InlineData("--grant: ", "db", "script", "--grant", "")]
    [InlineData("--grant: 'public' is not a role", "db", "script", "--grant", "public")]
    [InlineData("--grant: '\\x1b[2J' has characters", "db", "script", "--grant", "\u001b[2J")]
    [InlineData("--grant: 'a\\nb' has characters", "db", "script", "--grant", "a\nb")]
    [InlineData("--grant and --from do not go together", "db", "script", "--grant", "app", "--from", "1")]
    public async Task A_wrong_command_line_is_exit_code_2_and_one_line(string expected, params string[] arguments)
    {
        Assert.Equal(2, await _console.RunAsync(arguments));
        Assert.Empty(_console.Out);
        Assert.StartsWith("coppice: ", _console.Error, StringComparison.Ordinal);
        Assert.Contains(expected, _console.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Parameter '", _console.Error, StringComparison.Ordinal);
        Assert.Equal(1, _console.Error.Count(c => c == '\n'));
    }

    [Theory]
    [InlineData("coppice d", "db")]
    [InlineData("coppice db s", "script")]
    [InlineData("coppice db script --gr", "--grant")]
    public async Task It_is_completed(string line, string expected)
    {
        Assert.Equal(0, await _console.RunAsync($"[suggest:{line.Length}]", line));
        Assert.Contains(expected, _console.Out, StringComparison.Ordinal);
    }
}
