using Spectre.Console;

namespace Coppice.Cli.Rendering;

/// <summary>The few styles of the command. Terminals without colour show the same text without them.</summary>
internal static class Ink
{
    public static Style Plain { get; } = Style.Plain;

    public static Style Strong { get; } = new(decoration: Decoration.Bold);

    public static Style Faint { get; } = new(Color.Grey);

    public static Style Good { get; } = new(Color.Green);

    public static Style Bad { get; } = new(Color.Red);

    public static Style Warn { get; } = new(Color.Yellow);

    public static Style Busy { get; } = new(Color.Aqua);

    public static Style Of(TaskSnapshot task) => task.State switch
    {
        TaskState.Completed => Good,
        TaskState.Failed => Bad,
        TaskState.Cancelled => Warn,
        _ => Busy,
    };
}
