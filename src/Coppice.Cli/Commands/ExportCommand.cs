using System.CommandLine;
using System.Text;
using System.Text.Json;
using Coppice.Cli.CommandLine;
using Coppice.Cli.Rendering;
using Coppice.Cli.Stores;

namespace Coppice.Cli.Commands;

/// <summary><c>coppice export</c>: all tasks as JSON lines.</summary>
internal sealed class ExportCommand : ICliCommand
{
    private readonly Option<string?> _thread = new("--thread") { Description = "Only tasks of this thread.", HelpName = "id" };
    private readonly Option<string?> _output = new("--output", "-o") { Description = "Write to this file instead of standard output. It appears, or is replaced, once it is complete.", HelpName = "file" };
    private SharedOptions _shared = null!;

    public string Examples => """
        Writes JSON lines: one task on each line, oldest first, in the form that a restore reads. On standard output
        characters that a terminal might act on are written as \uXXXX, which means the same.

        Examples:
          coppice export > tasks.jsonl
          coppice export --thread survey -o survey.jsonl
          coppice export | jq -r 'select(.status=="failed") | .error'
        """;

    public Command Define(SharedOptions shared)
    {
        _shared = shared;
        return new Command("export", "Write tasks as JSON lines: one task on each line, oldest first.") { _thread, _output };
    }

    public async Task<int> RunAsync(ParseResult parsed, CommandContext context, CancellationToken cancellationToken)
    {
        var address = _shared.Address(parsed);
        await using var reader = await context.Opening(address).ReadAsync(cancellationToken);
        var tasks = reader.QueryAsync(new TaskQuery { OwnerThreadId = parsed.GetValue(_thread) }, cancellationToken);
        if (parsed.GetValue(_output) is not { } output)
        {
            await foreach (var task in tasks)
            {
                await context.Console.Out.WriteLineAsync(SafeJson.OfTask(task));
            }

            return ExitCodes.Success;
        }

        var count = await WriteFileAsync(tasks, output, address, cancellationToken);
        context.Console.Say($"{Amounts.Of(count, "task")} written to {SafeText.Line(output, 200)}.");
        return ExitCodes.Success;
    }

    private static async Task<int> WriteFileAsync(
        IAsyncEnumerable<TaskSnapshot> tasks, string output, StoreAddress address, CancellationToken cancellationToken)
    {
        if (output.Length == 0 || output.Contains('\0', StringComparison.Ordinal))
        {
            throw new CliException(ExitCodes.Usage, "--output needs the path of a file.");
        }

        var path = Path.GetFullPath(output);
        if (address is StoreAddress.FileAddress file && path.StartsWith(file.Location.Path, StringComparison.Ordinal))
        {
            throw new CliException(ExitCodes.Usage, "--output names a file of the store itself; name another.");
        }

        var unfinished = path + ".part";
        try
        {
            var count = await WriteLinesAsync(tasks, unfinished, cancellationToken);
            File.Move(unfinished, path, overwrite: true);
            return count;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CliException(ExitCodes.Failed, $"'{SafeText.Line(output, 200)}' cannot be written: {e.Message}", e);
        }
        finally
        {
            if (File.Exists(unfinished))
            {
                File.Delete(unfinished);
            }
        }
    }

    private static async Task<int> WriteLinesAsync(IAsyncEnumerable<TaskSnapshot> tasks, string path, CancellationToken cancellationToken)
    {
        await using var file = new StreamWriter(path, append: false, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false)) { NewLine = "\n" };
        var count = 0;
        await foreach (var task in tasks)
        {
            await file.WriteLineAsync(JsonSerializer.Serialize(task).AsMemory(), cancellationToken);
            count++;
        }

        return count;
    }
}
