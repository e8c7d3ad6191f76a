namespace Coppice;

/// <summary>How a <see cref="SqliteTaskStore"/> works. Read once, when it is opened.</summary>
public sealed class SqliteTaskStoreOptions
{
    /// <summary>Gets or sets what a commit waits for. <see cref="SqliteSynchronous.Full"/> by default, which law 1 needs.</summary>
    public SqliteSynchronous Synchronous { get; set; } = SqliteSynchronous.Full;

    /// <summary>Gets or sets whether a store that does not exist is created, with its folders. True by default.</summary>
    public bool CreateIfMissing { get; set; } = true;

    /// <summary>
    /// Gets or sets how many pages of 4 KB the file may have, from 64; <see langword="null"/>, the default, leaves it to the disk. A commit
    /// beyond it fails as one on a full disk does.
    /// </summary>
    public int? MaxPageCount { get; set; }

    /// <summary>Gets or sets how many connections for reading are kept open. 1 to 64; 8 by default. More are opened while they are needed.</summary>
    public int ReaderPoolSize { get; set; } = 8;

    /// <summary>
    /// Gets or sets how long a statement waits for a lock that another program holds on the file, such as a backup. Up to 10 minutes; 5
    /// seconds by default.
    /// </summary>
    public TimeSpan BusyTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Stands in front of the commit of every group, so that a test can make one fail or lose its answer.</summary>
    internal Action<Action>? CommitSeam { get; set; }

    /// <summary>Stands in front of every look whether a commit landed whose answer was lost.</summary>
    internal Action? SettleSeam { get; set; }

    /// <summary>How often to look, ten times a second, before the caller is told that it is not known.</summary>
    internal int SettleAttempts { get; set; } = 50;

    internal SqliteTaskStoreOptions CloneChecked()
    {
        if (!Enum.IsDefined(Synchronous))
        {
            throw new ArgumentException($"SqliteTaskStoreOptions.Synchronous ({Synchronous}) must be Full or Normal.");
        }

        if (MaxPageCount is < 64)
        {
            throw new ArgumentException($"SqliteTaskStoreOptions.MaxPageCount ({MaxPageCount}) must be at least 64 pages.");
        }

        if (ReaderPoolSize is < 1 or > 64)
        {
            throw new ArgumentException($"SqliteTaskStoreOptions.ReaderPoolSize ({ReaderPoolSize}) must be from 1 to 64.");
        }

        if (BusyTimeout < TimeSpan.Zero || BusyTimeout > TimeSpan.FromMinutes(10))
        {
            throw new ArgumentException($"SqliteTaskStoreOptions.BusyTimeout ({BusyTimeout}) must be from zero to 10 minutes.");
        }

        return (SqliteTaskStoreOptions)MemberwiseClone();
    }
}
