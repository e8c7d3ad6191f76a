namespace Coppice.Cli.Rendering;

/// <summary>One column of a <see cref="TextTable"/>, its widths in terminal cells.</summary>
/// <param name="Title">Its heading.</param>
internal sealed record TextColumn(string Title)
{
    /// <summary>Gets how far it may shrink; by default not at all.</summary>
    public int MinWidth { get; init; } = int.MaxValue;

    /// <summary>Gets how wide it may become.</summary>
    public int MaxWidth { get; init; } = int.MaxValue;

    public bool RightAligned { get; init; }

    /// <summary>Gets whether it is left out where the width does not suffice for every column.</summary>
    public bool Optional { get; init; }
}
