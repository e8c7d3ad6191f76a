using Coppice;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Keeps tasks and mail in a SQLite file.</summary>
public static class CoppiceBuilderSqliteExtensions
{
    /// <summary>
    /// Keeps tasks and mail in a SQLite file, which is opened when the host starts and closed when the host stops. One host process at a
    /// time: a second fails to start with a <see cref="TaskStoreException"/> of code <c>store_locked</c>.
    /// </summary>
    /// <param name="builder">What <c>AddCoppice</c> returned.</param>
    /// <param name="path">The file; it is created, with its folders, where it is missing.</param>
    /// <param name="configure">Sets the store's options.</param>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is <see langword="null"/>.</exception>
    /// <exception cref="ArgumentException"><paramref name="path"/> is empty.</exception>
    public static CoppiceBuilder UseSqlite(this CoppiceBuilder builder, string path, Action<SqliteTaskStoreOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrWhiteSpace(path);

        return builder.UseStore(async (_, cancellationToken) =>
        {
            var options = new SqliteTaskStoreOptions();
            configure?.Invoke(options);
            return await SqliteTaskStore.OpenAsync(path, options, cancellationToken).ConfigureAwait(false);
        });
    }
}
