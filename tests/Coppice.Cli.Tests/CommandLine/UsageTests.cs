using Coppice.Cli.Tests.Support;

namespace Coppice.Cli.Tests.CommandLine;

public sealed class UsageTests : IDisposable
{
    private readonly TestConsole _console = new();
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("bogus")]
    [InlineData("ps", "--bogus")]
    [InlineData("ps", "--limit", "0")]
    [InlineData("ps", "--limit", "many")]
    [InlineData("ps", "--status", "dead")]
    [InlineData("survey", "--depth", "61")]
    [InlineData("survey", "--depth", "-1")]
    [InlineData("survey", "--parallel", "0")]
    [InlineData("survey", "a", "b")]
    [InlineData("show")]
    [InlineData("why")]
    [InlineData("prune")]
    [InlineData("prune", "--older-than", "soon")]
    [InlineData("completion", "ksh")]
    public async Task A_wrong_command_line_is_exit_code_2_and_one_line(params string[] arguments)
    {
        Assert.Equal(2, await _console.RunAsync(arguments));
        Assert.Empty(_console.Out);
        Assert.StartsWith("coppice: ", _console.Error, StringComparison.Ordinal);
        Assert.Equal(1, _console.Error.Count(c => c == '\n'));
    }

    [Theory]
    [InlineData("ps")]
    [InlineData("tree")]
    [InlineData("show", "bg_0")]
    [InlineData("why", "bg_0")]
    [InlineData("export")]
    [InlineData("prune", "--older-than", "1d")]
    public async Task A_store_that_is_not_there_is_exit_code_3_and_is_not_made(params string[] arguments)
    {
        var path = _folder.At("none/coppice.db");

        Assert.Equal(3, await _console.RunAsync([.. arguments, "--store", path]));
        Assert.Contains("There is no store at", _console.Error, StringComparison.Ordinal);
        Assert.Contains("coppice survey", _console.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.At("none")));
    }

    [Fact]
    public async Task A_file_that_is_no_store_is_exit_code_4()
    {
        var path = _folder.File("notes.txt", new string('x', 5000));

        Assert.Equal(4, await _console.RunAsync("ps", "--store", path));
        Assert.Equal(4, await _console.RunAsync("survey", _folder.Path, "--store", path));
        Assert.Equal(new string('x', 5000), await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_folder_is_no_store()
    {
        Assert.Equal(2, await _console.RunAsync("ps", "--store", _folder.Path));
        Assert.Contains("name a file in it", _console.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_that_is_not_there_is_exit_code_3()
    {
        Assert.Equal(3, await _console.RunAsync("survey", _folder.At("nope\u001b[2J"), "--store", _folder.At("s.db")));
        Assert.Contains("There is no folder", _console.Error, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', _console.Error);
        Assert.False(File.Exists(_folder.At("s.db")));
    }

    [Fact]
    public async Task A_file_is_no_folder_to_survey()
    {
        Assert.Equal(3, await _console.RunAsync("survey", _folder.File("f"), "--store", _folder.At("s.db")));
        Assert.Contains("is a file", _console.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_argument_that_begins_with_an_at_sign_is_no_file_of_arguments()
    {
        Assert.Equal(3, await _console.RunAsync("survey", "@nope", "--store", _folder.At("s.db")));
        Assert.Contains("'@nope'", _console.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--help", "Exit codes:")]
    [InlineData("survey --help", "coppice survey ~/src --depth 2")]
    [InlineData("ps --help", "--status")]
    [InlineData("tree --help", "Examples:")]
    [InlineData("show --help", "Examples:")]
    [InlineData("why --help", "Examples:")]
    [InlineData("export --help", "JSON lines")]
    [InlineData("prune --help", "7d")]
    [InlineData("completion --help", "bashrc")]
    [InlineData("db --help", "script")]
    [InlineData("db script --help", "coppice db script --grant app")]
    public async Task Help_has_examples_and_calls_the_command_by_its_name(string arguments, string expected)
    {
        Assert.Equal(0, await _console.RunAsync(arguments.Split(' ')));
        Assert.Contains(expected, _console.Out, StringComparison.Ordinal);
        Assert.Contains("coppice ", _console.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("Coppice.Cli", _console.Out, StringComparison.Ordinal);
        Assert.Empty(_console.Error);
    }

    [Fact]
    public async Task Without_a_command_the_help_is_shown_and_the_exit_code_is_2()
    {
        Assert.Equal(2, await _console.RunAsync());
        Assert.Contains("Usage:", _console.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bash", "complete -o default -F")]
    [InlineData("zsh", "compdef")]
    [InlineData("fish", "complete -c coppice")]
    public async Task Every_shell_has_its_completion(string shell, string expected)
    {
        Assert.Equal(0, await _console.RunAsync("completion", shell));
        Assert.Contains(expected, _console.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task States_are_completed()
    {
        Assert.Equal(0, await _console.RunAsync("[suggest:20]", "coppice ps --status "));
        Assert.Contains("input_required", _console.Out, StringComparison.Ordinal);
    }
}
