namespace Coppice.Cli.Tests.Support;

/// <summary>A tree whose survey takes so many tasks that a test can stop it in the midst.</summary>
internal static class LargeTree
{
    public const int Folders = 3000;

    public static void Make(TempFolder folder, string name) => folder.Shell($"mkdir {name} && cd {name} && mkdir d{{1..{Folders}}}");
}
