using System.CommandLine;
using Coppice.Cli.CommandLine;

namespace Coppice.Cli.Commands;

/// <summary><c>coppice completion</c>: scripts that make a shell complete the command.</summary>
internal sealed class CompletionCommand : ICliCommand
{
    private readonly Argument<string> _shell = new("shell") { Description = "bash, zsh or fish." };

    public string Examples => """
        Examples:
          source <(coppice completion bash)                                  in ~/.bashrc
          source <(coppice completion zsh)                                   in ~/.zshrc, after compinit
          coppice completion fish > ~/.config/fish/completions/coppice.fish
        """;

    public Command Define(SharedOptions shared)
    {
        _shell.CompletionSources.Add("bash", "zsh", "fish");
        return new Command("completion", "Write a script that makes a shell complete this command.") { _shell };
    }

    public Task<int> RunAsync(ParseResult parsed, CommandContext context, CancellationToken cancellationToken)
    {
        var script = parsed.GetValue(_shell) switch
        {
            "bash" => Bash,
            "zsh" => Zsh,
            "fish" => Fish,
            var other => throw new CliException(ExitCodes.Usage, $"There is no completion for '{other}'; take bash, zsh or fish."),
        };
        context.Console.Out.WriteLine(script.ReplaceLineEndings("\n"));
        return Task.FromResult(ExitCodes.Success);
    }

    private const string Bash = """
        _coppice_complete() {
            local word="${COMP_WORDS[COMP_CWORD]}"
            local IFS=$'\n'
            COMPREPLY=($(compgen -W "$(coppice "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)" -- "${word}"))
        }
        complete -o default -F _coppice_complete coppice
        """;

    private const string Zsh = """
        _coppice_complete() {
            local -a words_found
            words_found=("${(@f)$(coppice "[suggest:${CURSOR}]" "${BUFFER}" 2>/dev/null)}")
            compadd -a words_found
            _files
        }
        compdef _coppice_complete coppice
        """;

    private const string Fish = """
        complete -c coppice -a '(coppice "[suggest:"(commandline -C)"]" (commandline -cp) 2>/dev/null)'
        """;
}
