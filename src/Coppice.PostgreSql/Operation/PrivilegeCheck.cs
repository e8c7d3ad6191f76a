namespace Coppice.PostgreSql;

/// <summary>Whether the role may do what hosts do.</summary>
internal static class PrivilegeCheck
{
    // What PostgreSqlSchema.CreateGrants gives: a test holds the two together.
    private const string Missing =
        """
        SELECT what || ' on ' || name FROM (
            SELECT c.relname AS name, p.what, CASE
                WHEN p.kind = 'S' AND c.relkind = 'S' THEN has_sequence_privilege(c.oid, p.what)
                WHEN p.kind = 'r' AND c.relkind <> 'S' THEN has_table_privilege(c.oid, p.what)
                ELSE true END AS has
            FROM pg_class c
            JOIN (VALUES ('r', 'SELECT'), ('r', 'INSERT'), ('r', 'UPDATE'), ('r', 'DELETE'), ('S', 'USAGE'), ('S', 'UPDATE')) AS p (kind, what)
                ON p.kind = CASE c.relkind WHEN 'p' THEN 'r' ELSE c.relkind::text END
            WHERE c.relnamespace = '{schema}'::regnamespace AND c.relkind IN ('r', 'p', 'S') AND (c.relname <> 'migrations' OR p.what = 'SELECT')
            ) AS needed WHERE NOT has ORDER BY name, what
        """;

    private const string Owns =
        "SELECT coalesce(bool_and(pg_has_role(relowner, 'USAGE')), false) FROM pg_class WHERE relnamespace = '{schema}'::regnamespace AND relkind IN ('r', 'p')";

    private const int Shown = 4;

    public static async Task RunAsync(Examination store, CancellationToken cancellationToken)
    {
        var missing = (await store.RowsAsync(Missing, cancellationToken).ConfigureAwait(false)).ConvertAll(static row => (string)row[0]!);
        var owns = (bool)(await store.RowAsync(Owns, cancellationToken).ConfigureAwait(false))[0]!;
        if (missing.Count > 0)
        {
            var more = missing.Count > Shown ? $" and {missing.Count - Shown} more" : "";
            store.Fail(
                "privileges", $"this role lacks {string.Join(", ", missing.Take(Shown))}{more}",
                $"Grant it what 'coppice db script --schema {store.Schema} --grant <role>' prints; again after each upgrade.");
        }
        else
        {
            store.Ok("privileges", $"this role may run hosts{(owns ? ", and change the tables" : ", and may change no table")}");
        }
    }
}
