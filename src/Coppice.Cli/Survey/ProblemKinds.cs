namespace Coppice.Cli.Survey;

/// <summary>What a survey reports apart from its counts. The words are those of the JSON result.</summary>
internal static class ProblemKinds
{
    public const string UnreadableFolder = "unreadable_folder";
    public const string UnreadableFile = "unreadable_file";
    public const string UnreadableName = "unreadable_name";
    public const string LinkCycle = "link_cycle";
    public const string LinkOut = "link_out";
    public const string LinkBroken = "link_broken";
    public const string SpecialFile = "special_file";
    public const string LargeFile = "large_file";
    public const string FailedTask = "failed_task";

    /// <summary>What comes first where there is no room for all: what was not counted before what was only left alone.</summary>
    public static int Rank(string kind) => kind switch
    {
        FailedTask => 0,
        UnreadableFolder => 1,
        UnreadableFile => 2,
        UnreadableName => 3,
        LinkCycle => 4,
        SpecialFile => 5,
        LargeFile => 6,
        _ => 7,
    };

    /// <summary>The kind in words.</summary>
    public static string Show(string kind) => kind switch
    {
        UnreadableFolder => "unreadable folder",
        UnreadableFile => "unreadable file",
        UnreadableName => "unusable name",
        LinkCycle => "link in a circle",
        LinkOut => "link out of the folder",
        LinkBroken => "broken link",
        SpecialFile => "pipe, socket or device",
        LargeFile => "too large to count lines",
        FailedTask => "failed task",
        _ => kind,
    };
}
