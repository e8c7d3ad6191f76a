using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;

namespace Coppice.Sqlite;

/// <summary>Connections for reading, beside the writer and beside each other. A read takes one for its time, or opens one more.</summary>
internal sealed class ReaderPool(StoreFile file, Func<Connection> open) : IDisposable
{
    private readonly ConcurrentStack<StoreReader> _idle = new();
    private volatile bool _isDisposed;

    public TResult Read<TArgument, TResult>(TArgument argument, Func<StoreReader, TArgument, TResult> read)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, typeof(SqliteTaskStore));
        StoreReader? reader = null;
        try
        {
            reader = _idle.TryPop(out var idle) ? idle : new StoreReader(open());
            var result = read(reader, argument);
            GiveBack(reader);
            return result;
        }
        catch (SqliteException e)
        {
            reader?.Dispose();
            throw StoreFaults.From(e, file.Path);
        }
        catch
        {
            reader?.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        _isDisposed = true;
        Clear();
    }

    private void GiveBack(StoreReader reader)
    {
        if (_idle.Count >= file.Options.ReaderPoolSize)
        {
            reader.Dispose();
            return;
        }

        _idle.Push(reader);
        if (_isDisposed)
        {
            Clear();
        }
    }

    private void Clear()
    {
        while (_idle.TryPop(out var reader))
        {
            reader.Dispose();
        }
    }
}
