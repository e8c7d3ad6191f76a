using Microsoft.Data.Sqlite;

namespace Coppice.Sqlite;

/// <summary>
/// Keeps the write-ahead log in good shape between commits: it copies the log into the file before it becomes long, and makes it longer
/// ahead of the commits.
/// </summary>
/// <remarks>
/// A commit that makes a file longer costs the disk the file's new size as well as what is in it, which doubles the time of a small
/// one. So the log grows in large steps, by zeros that SQLite takes for the end of the log and writes over; it is written from its
/// start again after each copy and keeps its length.
/// </remarks>
internal sealed class LogKeeper(Connection connection, string storePath, bool growsAhead)
{
    // Fewer, larger copies write a page that is hot only once.
    private const int PagesToCopyAt = 4000;
    private const int PagesToTryAgainAfter = 500;
    private const int PagesAhead = 64;
    private const int StepPages = 256;
    private const int BytesOfPage = 4096 + 24;

    private readonly string _path = storePath + "-wal";
    private bool _growsAhead = growsAhead;

    // Where the next commit writes, as far as known: while somebody reads old pages, the log goes on instead of starting again.
    private int _pages;
    private int _copyAt = PagesToCopyAt;
    private long _length;

    /// <summary>Copies what an earlier process has left in the log.</summary>
    public void Begin()
    {
        _ = connection.TakePagesWritten();
        Copy();
    }

    /// <summary>Call it after a commit, when everybody has been answered.</summary>
    public void Committed()
    {
        _pages += connection.TakePagesWritten();
        if (_pages >= _copyAt)
        {
            Copy();
        }

        if (_growsAhead && _pages + PagesAhead <= PagesToCopyAt && Bytes(_pages + PagesAhead) > _length)
        {
            Grow(Bytes(_pages + PagesAhead + StepPages));
        }
    }

    private static long Bytes(int pages) => (long)pages * BytesOfPage;

    private void Copy()
    {
        try
        {
            if (connection.Checkpoint())
            {
                _pages = 0;
                _copyAt = PagesToCopyAt;
                return;
            }
        }
        catch (SqliteException)
        {
            // What is committed stays in the log until it can be copied. If the disk is in trouble, the next commit says so to its caller.
        }

        _copyAt = _pages + PagesToTryAgainAfter;
    }

    private void Grow(long length)
    {
        try
        {
            // SQLite has its locks on other files, so closing this one drops none.
            using var file = File.OpenHandle(_path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
            _length = RandomAccess.GetLength(file);
            if (_length < length)
            {
                RandomAccess.Write(file, new byte[length - _length], _length);
                RandomAccess.FlushToDisk(file);
                _length = length;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Only slower. A commit that finds no room is the one to say so.
            _growsAhead = false;
        }
    }
}
