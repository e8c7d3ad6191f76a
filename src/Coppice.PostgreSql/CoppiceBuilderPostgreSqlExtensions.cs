using Coppice;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Keeps tasks and mail in a PostgreSQL database.</summary>
public static class CoppiceBuilderPostgreSqlExtensions
{
    /// <summary>
    /// Keeps tasks and mail in a PostgreSQL database, which any number of hosts share. The store is opened when the host starts and closed when
    /// the host stops; where the database cannot be used, the start fails with a <see cref="TaskStoreException"/> that says what to do.
    /// </summary>
    /// <param name="builder">What <c>AddCoppice</c> returned.</param>
    /// <param name="connectionString">Where the database is, as Npgsql reads it: <c>Host=…;Database=…;Username=…;Password=…</c>.</param>
    /// <param name="configure">Sets the store's options.</param>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is <see langword="null"/>.</exception>
    /// <exception cref="ArgumentException"><paramref name="connectionString"/> is empty.</exception>
    public static CoppiceBuilder UsePostgreSql(
        this CoppiceBuilder builder, string connectionString, Action<PostgreSqlTaskStoreOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrWhiteSpace(connectionString);

        return builder.UseStore(async (services, cancellationToken) =>
        {
            var options = new PostgreSqlTaskStoreOptions { LoggerFactory = services.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance };
            configure?.Invoke(options);
            return await PostgreSqlTaskStore.OpenAsync(connectionString, options, cancellationToken).ConfigureAwait(false);
        });
    }
}
