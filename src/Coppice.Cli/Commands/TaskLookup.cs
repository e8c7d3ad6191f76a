using System.CommandLine;
using Coppice.Cli.CommandLine;
using Coppice.Cli.Rendering;
using Coppice.Cli.Stores;

namespace Coppice.Cli.Commands;

/// <summary>Finds the task that a command is about.</summary>
internal static class TaskLookup
{
    public static Argument<string> Argument(string description) => new("id") { Description = description };

    /// <summary>The task of an id.</summary>
    /// <exception cref="CliException">There is none.</exception>
    public static async Task<TaskSnapshot> RequireAsync(TaskReader reader, string taskId, CancellationToken cancellationToken)
    {
        // 256 bytes is the longest id there is, so a longer one need not be looked for.
        var task = taskId.Length is > 0 and <= 256 ? await reader.GetAsync(taskId, cancellationToken) : null;
        return task ?? throw new CliException(
            ExitCodes.NotFound, $"There is no task '{SafeText.Line(taskId, 60)}' in the store. '{CoppiceCommandLine.Name} ps' lists the tasks; an id looks like bg_7.");
    }
}
