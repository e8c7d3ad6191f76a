namespace Coppice.Cli.CommandLine;

/// <summary>Ends the command with one line that says what to do.</summary>
internal sealed class CliException(int exitCode, string message, Exception? innerException = null) : Exception(message, innerException)
{
    public int ExitCode { get; } = exitCode;
}
