using Coppice.PostgreSql;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Coppice;

/// <summary>How a <see cref="PostgreSqlTaskStore"/> works. Read once, when it is opened.</summary>
public sealed class PostgreSqlTaskStoreOptions
{
    internal const string SchemaForm =
        "lower-case letters, digits and underscores, not beginning with a digit or pg_, no word that SQL reserves, up to 48 characters";

    private const int LongestSchema = 48;

    /// <summary>
    /// Gets or sets the PostgreSQL schema that holds the tables: lower-case letters, digits and underscores, not beginning with a digit or
    /// <c>pg_</c>, no word that SQL reserves, up to 48 characters. "coppice" by default. Stores in different schemas of one database know nothing
    /// of each other.
    /// </summary>
    public string Schema { get; set; } = "coppice";

    /// <summary>
    /// Gets or sets whether the schema is made, and brought forward by a newer version, when the store is opened. True by default. Where a
    /// person does that with the script of <see cref="PostgreSqlSchema"/>, the role of the hosts needs no right to.
    /// </summary>
    public bool Migrate { get; set; } = true;

    /// <summary>Gets or sets how many connections read at the same time, at the most. 1 to 256; 16 by default.</summary>
    public int ReaderConnections { get; set; } = 16;

    /// <summary>Gets or sets how long a statement may take. 1 second to 10 minutes; 30 seconds by default.</summary>
    public TimeSpan CommandTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Gets or sets how often a process looks for what other processes have committed and it was not told of: news between processes may be lost with a
    /// connection. 100 milliseconds to 10 minutes; 5 seconds by default.
    /// </summary>
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Gets or sets where it is logged what becomes of the news between processes; under the category <c>Coppice</c>, as all that Coppice logs. Nowhere by default; <c>UsePostgreSql</c>
    /// sets it to that of the services.
    /// </summary>
    public ILoggerFactory LoggerFactory { get; set; } = NullLoggerFactory.Instance;

    internal ILogger Logger => field ??= LoggerFactory.CreateLogger(CoppiceTelemetry.Name);

    /// <summary>Gets or sets by what time it is known how long ago a task ended.</summary>
    internal TimeProvider Time { get; set; } = TimeProvider.System;

    internal PostgreSqlTaskStoreOptions CloneChecked()
    {
        if (!IsSchemaName(Schema))
        {
            throw new ArgumentException($"PostgreSqlTaskStoreOptions.Schema ('{Schema}') is not the name of a schema: {SchemaForm}.");
        }

        if (ReaderConnections is < 1 or > 256)
        {
            throw new ArgumentException($"PostgreSqlTaskStoreOptions.ReaderConnections ({ReaderConnections}) must be from 1 to 256.");
        }

        if (CommandTimeout < TimeSpan.FromSeconds(1) || CommandTimeout > TimeSpan.FromMinutes(10))
        {
            throw new ArgumentException($"PostgreSqlTaskStoreOptions.CommandTimeout ({CommandTimeout}) must be from 1 second to 10 minutes.");
        }

        if (PollInterval < TimeSpan.FromMilliseconds(100) || PollInterval > TimeSpan.FromMinutes(10))
        {
            throw new ArgumentException($"PostgreSqlTaskStoreOptions.PollInterval ({PollInterval}) must be from 100 milliseconds to 10 minutes.");
        }

        if (LoggerFactory is null)
        {
            throw new ArgumentException("PostgreSqlTaskStoreOptions.LoggerFactory is null; leave it out to log nothing.");
        }

        return (PostgreSqlTaskStoreOptions)MemberwiseClone();
    }

    /// <summary>Whether a name needs no quotes and cannot be anything but a name. Names beginning with "pg_" are PostgreSQL's own.</summary>
    internal static bool IsSchemaName(string? name) =>
        name is { Length: > 0 and <= LongestSchema }
        && !char.IsAsciiDigit(name[0])
        && !name.StartsWith("pg_", StringComparison.Ordinal)
        && name.All(static c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_')
        && !ReservedWords.Contains(name);
}
