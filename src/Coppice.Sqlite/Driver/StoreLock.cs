using System.Globalization;

namespace Coppice.Sqlite;

/// <summary>
/// Keeps a store for one host: an exclusive lock on a file beside it, which the operating system takes back when the process dies, and
/// a second file that says which process has it, because a locked file cannot be read everywhere.
/// </summary>
internal sealed class StoreLock : IDisposable
{
    private readonly FileStream _file;
    private readonly string _holderPath;

    private StoreLock(FileStream file, string holderPath)
    {
        _file = file;
        _holderPath = holderPath;
    }

    /// <exception cref="TaskStoreException">Another host has the lock, or the file cannot be written.</exception>
    public static StoreLock Take(string path)
    {
        var lockPath = path + "-lock";
        var holderPath = path + "-lock-holder";
        FileStream file;
        try
        {
            file = new FileStream(lockPath, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (UnauthorizedAccessException e)
        {
            throw StoreFaults.NotWritable(path, e);
        }
        catch (IOException e) when (e is not (DirectoryNotFoundException or FileNotFoundException or PathTooLongException))
        {
            throw IsSharingViolation(e)
                ? StoreFaults.Locked(path, lockPath, HolderOf(path), e)
                : StoreFaults.NotWritable(path, e);
        }
        catch (IOException e)
        {
            throw StoreFaults.NotWritable(path, e);
        }

        try
        {
            var holder = string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}\n");
            file.SetLength(0);
            file.Write(System.Text.Encoding.ASCII.GetBytes(holder));
            file.Flush();
            File.WriteAllText(holderPath, holder);
            return new StoreLock(file, holderPath);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            file.Dispose();
            throw StoreFaults.NotWritable(path, e);
        }
    }

    public void Dispose()
    {
        try
        {
            File.Delete(_holderPath);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It only says who has the lock, and is read only while somebody has it.
        }

        // The lock file stays: deleting it would let a third process lock a new one while a second still opens the old.
        _file.Dispose();
    }

    /// <summary>Whether a host has the lock of a store. A host that comes while this looks tries again, or says so.</summary>
    /// <exception cref="IOException">The lock cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">The lock cannot be opened.</exception>
    public static bool IsTaken(string path)
    {
        if (!File.Exists(path + "-lock"))
        {
            return false;
        }

        try
        {
            // For a moment, and shared with others who look.
            using var file = new FileStream(path + "-lock", FileMode.Open, FileAccess.Read, FileShare.Read);
            return false;
        }
        catch (IOException e) when (IsSharingViolation(e))
        {
            return true;
        }
    }

    /// <summary>The process that has the lock of a store, while somebody has it.</summary>
    public static int? HolderOf(string path)
    {
        try
        {
            return int.TryParse(File.ReadAllText(path + "-lock-holder"), NumberStyles.Integer, CultureInfo.InvariantCulture, out var id) ? id : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // EWOULDBLOCK (Linux 11, macOS 35), ERROR_SHARING_VIOLATION and ERROR_LOCK_VIOLATION: the runtime has no name for them.
    private static bool IsSharingViolation(IOException e) => (e.HResult & 0xFFFF) is 11 or 35 or 32 or 33;
}
