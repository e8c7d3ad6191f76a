namespace Coppice.CrashChild;

/// <summary>Writes what was acknowledged, a line at a time, each in one write, so that a kill cuts no line in two unnoticed.</summary>
internal static class Acknowledgements
{
    private static readonly Stream Output = Console.OpenStandardOutput();
    private static readonly Lock Gate = new();

    internal static void Write(string line)
    {
        var bytes = System.Text.Encoding.ASCII.GetBytes(line + "\n");
        lock (Gate)
        {
            Output.Write(bytes);
            Output.Flush();
        }
    }
}
