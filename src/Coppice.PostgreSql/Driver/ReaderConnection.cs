using Npgsql;

namespace Coppice.PostgreSql;

/// <summary>A connection that reads, and its place among as many as there may be.</summary>
internal readonly struct ReaderConnection(NpgsqlConnection inner, SemaphoreSlim places) : IAsyncDisposable
{
    public NpgsqlConnection Inner => inner;

    public async ValueTask DisposeAsync()
    {
        await inner.DisposeAsync().ConfigureAwait(false);
        places.Release();
    }
}
