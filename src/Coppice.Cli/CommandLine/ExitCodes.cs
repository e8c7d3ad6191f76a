namespace Coppice.Cli.CommandLine;

/// <summary>How the command ends, for scripts. They never change their meaning.</summary>
internal static class ExitCodes
{
    public const int Success = 0;

    /// <summary>What was asked for could not be done.</summary>
    public const int Failed = 1;

    /// <summary>The command line is wrong.</summary>
    public const int Usage = 2;

    /// <summary>There is no such task, folder or store.</summary>
    public const int NotFound = 3;

    /// <summary>The store is there, but in use by another host, damaged, or not to be opened.</summary>
    public const int StoreUnavailable = 4;

    /// <summary>Ended by Ctrl-C (SIGINT).</summary>
    public const int Interrupted = 130;

    /// <summary>Ended by SIGTERM.</summary>
    public const int Terminated = 143;
}
