namespace Coppice;

/// <summary>What a commit waits for before it is acknowledged.</summary>
public enum SqliteSynchronous
{
    /// <summary>The disk: what was acknowledged survives the death of the process and the loss of power.</summary>
    Full,

    /// <summary>
    /// The operating system: what was acknowledged survives the death of the process, but the last commits before a loss of power or a
    /// crash of the operating system may be gone. The file stays whole either way.
    /// </summary>
    Normal,
}
