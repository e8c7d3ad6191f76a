namespace Coppice.PostgreSql;

/// <summary>Whether the tables are there and of the version that this library writes.</summary>
internal static class SchemaCheck
{
    /// <returns>Whether there are tables that the other checks can look at.</returns>
    public static async Task<bool> RunAsync(Examination store, CancellationToken cancellationToken)
    {
        if (!await MayLookAsync(store, cancellationToken).ConfigureAwait(false))
        {
            store.Fail(
                "schema", $"this role may not look into the schema {store.Schema}",
                $"Grant it what 'coppice db script --schema {store.Schema} --grant <role>' prints.");
            return false;
        }

        var (version, known) =
            (await Migrator.VersionAsync(store.Connection, store.Schema, cancellationToken).ConfigureAwait(false), PostgreSqlSchema.Version);
        if (version == 0)
        {
            await MissingAsync(store, cancellationToken).ConfigureAwait(false);
        }
        else if (version > known)
        {
            store.Fail(
                "schema", $"the schema {store.Schema} is of version {version}, this library knows up to {known}",
                $"Upgrade Coppice on this host.");
        }
        else if (version < known)
        {
            store.Warn(
                "schema", $"the schema {store.Schema} is of version {version}, this library writes {known}",
                $"The next host brings it forward if its role owns the tables; or run what 'coppice db script --schema {store.Schema} --from {version}' prints.");
        }
        else
        {
            store.Ok("schema", $"{store.Schema} is of version {version}, as this library writes it");
        }

        return version == known;
    }

    private static async Task<bool> MayLookAsync(Examination store, CancellationToken cancellationToken)
    {
        var row = await store.RowAsync(
            """
            SELECT coalesce(bool_and(has_schema_privilege(n.oid, 'USAGE') AND (c.oid IS NULL OR has_table_privilege(c.oid, 'SELECT'))), true)
            FROM pg_namespace n LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = 'migrations' WHERE n.nspname = '{schema}'
            """,
            cancellationToken).ConfigureAwait(false);
        return (bool)row[0]!;
    }

    private static async Task MissingAsync(Examination store, CancellationToken cancellationToken)
    {
        var row = await store.RowAsync(
            """
            SELECT coalesce((SELECT has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE nspname = '{schema}'),
                has_database_privilege(current_database(), 'CREATE'))
            """,
            cancellationToken).ConfigureAwait(false);
        if ((bool)row[0]!)
        {
            store.Warn(
                "schema", $"there is no store in the schema {store.Schema} yet",
                $"The first host makes it: this role may. Or run what 'coppice db script --schema {store.Schema}' prints.");
        }
        else
        {
            store.Fail(
                "schema", $"there is no store in the schema {store.Schema}, and this role may not make one",
                $"Run what 'coppice db script --schema {store.Schema}' prints as the owner of the database, then what it prints with --grant <role>.");
        }
    }
}
