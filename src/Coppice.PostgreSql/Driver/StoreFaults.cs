using Npgsql;

namespace Coppice.PostgreSql;

/// <summary>Turns the driver's errors into faults that say what to do. A place is a host, port and database; no password is in it.</summary>
internal static class StoreFaults
{
    public static TaskStoreException From(NpgsqlException error, string place, bool notCommitted = false)
    {
        var (code, transient, advice) = Judge(error);
        return new TaskStoreException(
            $"The store at {place} failed: {advice} ({Text(error)})", transient, error, code) { IsKnownNotCommitted = notCommitted };
    }

    /// <summary>What an error says, and what to do about it.</summary>
    public static (string Found, string Advice) Explain(NpgsqlException error) => (Text(error), Judge(error).Advice);

    /// <summary>Whether the server has said no and lives on: what it was sent with its COMMIT has not landed.</summary>
    public static bool IsRefusal(Exception error) => error is PostgresException { InvariantSeverity: "ERROR" };

    /// <summary>Whether a transaction that failed so may do better when it is begun anew at once.</summary>
    public static bool IsConflict(NpgsqlException error) =>
        error is PostgresException { SqlState: PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure };

    /// <summary>
    /// Whether a connection may have ended while nobody used it, which says nothing of the database: a new one may do. One that gave no answer for too long
    /// says something.
    /// </summary>
    public static bool IsStale(NpgsqlException error) =>
        error is PostgresException refused
            ? refused.SqlState.StartsWith("57P", StringComparison.Ordinal) || refused.SqlState.StartsWith("08", StringComparison.Ordinal)
            : error is not NoReaderException && error.InnerException is not (TimeoutException or NpgsqlException);

    public static TaskStoreException Missing(string place, string schema) => new(
        $"There is no schema '{schema}' with a store in {place}. Let a host make it (Migrate), or run the script that 'coppice db script' prints.",
        isTransient: false, null, "store_not_found") { IsKnownNotCommitted = true };

    public static TaskStoreException Newer(string place, string schema, int found, int known) => new(
        $"The schema '{schema}' in {place} was written by a newer version (schema {found}; this one knows up to {known}). Upgrade Coppice, or name another schema.",
        isTransient: false, null, "store_too_new") { IsKnownNotCommitted = true };

    public static TaskStoreException Older(string place, string schema, int found, int known) => new(
        $"The schema '{schema}' in {place} is of an older version (schema {found}; this one needs {known}). Let a host bring it forward (Migrate), or run the script that 'coppice db script --from {found}' prints.",
        isTransient: false, null, "store_too_old") { IsKnownNotCommitted = true };

    public static TaskStoreException Unclear(string place, Exception inner) => new(
        $"The store at {place} failed while it committed, and cannot be asked whether it did. The answer can be looked up once the database can be reached again. ({inner.Message})",
        isTransient: true, inner);

    public static TaskStoreException Unsettled(string place) => new(
        $"The store at {place} cannot find out yet whether an earlier commit landed, and takes no other before it has. See to the database.",
        isTransient: true) { IsKnownNotCommitted = true };

    public static TaskStoreException Unstorable(string place, Exception inner) => new(
        $"The store at {place} cannot keep what it was given: {inner.Message}", isTransient: false, inner, "store_rejected") { IsKnownNotCommitted = true };

    public static TaskStoreException Pooled(string place) => new(
        $"The store at {place} is behind a pooler that shares server processes between sessions, by whose locks hosts show that they live. Connect to the server itself, or let the pooler leave each session its own (PgBouncer: pool_mode = session).",
        isTransient: false, null, "store_pooled") { IsKnownNotCommitted = true };

    private static (string Code, bool IsTransient, string Advice) Judge(NpgsqlException error) => error switch
    {
        PostgresException refused => Judge(refused.SqlState),

        // The driver itself finds that out, and has no code for it.
        _ when error.Message.StartsWith("No password", StringComparison.Ordinal) => Judge(PostgresErrorCodes.InvalidPassword),
        NoReaderException => ("store_busy", true, "More is read at the same time than it has connections for. It is tried again."),
        _ => ("store_unavailable", true,
            "The database cannot be reached. See that the server runs and that the network lets this host through; it is tried again."),
    };

    private static (string Code, bool IsTransient, string Advice) Judge(string state) => state switch
    {
        PostgresErrorCodes.DiskFull => ("store_full", true, "The disk of the database is full. Make room; what was acknowledged is safe."),
        PostgresErrorCodes.TooManyConnections or PostgresErrorCodes.ConfigurationLimitExceeded => ("store_busy", true,
            "The database takes no more connections. Raise max_connections, or lower ReaderConnections of its hosts."),
        PostgresErrorCodes.OutOfMemory or PostgresErrorCodes.InsufficientResources => ("store_busy", true, "The database is out of memory or of another resource."),
        PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.QueryCanceled =>
            ("store_busy", true, "Others keep the database busy. It is tried again."),
        "25P03" => ("store_busy", true, "This host was silent for so long that the database ended its transaction. It is tried again."),
        PostgresErrorCodes.ReadOnlySqlTransaction => ("store_read_only", true,
            "The server takes no writes: it is a standby, or is about to become one. Let the connection string name all servers, with Target Session Attributes=primary."),
        PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification => ("store_not_openable", false,
            "The database does not let this role in. See to the user name and password of the connection string, and to pg_hba.conf."),
        PostgresErrorCodes.InvalidCatalogName => ("store_not_found", false, "There is no such database. Create it, or name another one."),
        PostgresErrorCodes.InvalidSchemaName or PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn => ("store_not_found", false,
            "The schema has not the tables of a store. Let a host make them (Migrate), or run the script that 'coppice db script' prints."),
        PostgresErrorCodes.DuplicateTable or PostgresErrorCodes.DuplicateObject => ("store_not_openable", false,
            "Something that is not Coppice's stands where its tables are to be. Name another schema, or make room in this one."),
        PostgresErrorCodes.InsufficientPrivilege => ("store_not_writable", false,
            "The role may not do that. Grant it what 'coppice db script --grant <role>' prints; to make or upgrade the tables it has to own the schema."),
        PostgresErrorCodes.CharacterNotInRepertoire or PostgresErrorCodes.UntranslatableCharacter or PostgresErrorCodes.ProgramLimitExceeded => ("store_rejected", false,
            "The database cannot keep what it was given."),
        _ when state.StartsWith("08", StringComparison.Ordinal) || state.StartsWith("57P", StringComparison.Ordinal) => ("store_unavailable", true,
            "The database ended the connection or is starting. It is tried again."),
        _ when state.StartsWith("XX", StringComparison.Ordinal) => ("store_corrupt", false, "The database has found itself damaged. See to its log and its backups."),
        _ => ("store_unavailable", false, "The database refused it."),
    };

    // The detail of an error may quote rows, so it stays in the exception inside.
    private static string Text(NpgsqlException error) => error is PostgresException refused ? $"{refused.SqlState}: {refused.MessageText}" : error.Message;
}
