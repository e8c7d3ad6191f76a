using System.Globalization;
using System.Reflection;

namespace Coppice.PostgreSql;

/// <summary>The steps that make the schema, one for each version, and the scripts made of them.</summary>
/// <param name="steps">The SQL of each step, where <c>{schema}</c> is the schema.</param>
internal sealed class Migrations(params string[] steps)
{
    /// <summary>Gets those of this library, each an SQL file.</summary>
    public static Migrations OfStore { get; } = new([.. Read()]);

    /// <summary>Gets the version that they lead to.</summary>
    public int Count => steps.Length;

    /// <summary>The SQL of the steps above a version, in one transaction that others of its kind wait for.</summary>
    public string Script(string schema, int fromVersion) =>
        $"""
        -- Coppice, schema {schema}: version {fromVersion} to {Count}
        BEGIN ISOLATION LEVEL READ COMMITTED;
        {Lock(schema)};
        {string.Join('\n', Body(schema, fromVersion).Prepend(Guard(schema, fromVersion)))}
        COMMIT;

        """;

    /// <summary>The statements of the steps above a version.</summary>
    public IEnumerable<string> Body(string schema, int fromVersion)
    {
        if (fromVersion == 0)
        {
            yield return
                $"""
                CREATE SCHEMA IF NOT EXISTS {schema};
                CREATE TABLE {schema}.migrations (version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now());
                """;
        }

        for (var version = fromVersion + 1; version <= Count; version++)
        {
            yield return steps[version - 1].Replace("{schema}", schema, StringComparison.Ordinal);
            yield return string.Create(CultureInfo.InvariantCulture, $"INSERT INTO {schema}.migrations (version) VALUES ({version});");
        }
    }

    /// <summary>Excludes everybody else who is at the same schema, until the transaction ends.</summary>
    public static string Lock(string schema) => $"SELECT pg_advisory_xact_lock(hashtextextended('coppice migrations {schema}', 0))";

    public static string Grants(string role, string schema)
    {
        var quoted = $"\"{role.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
        return
            $"""
            GRANT USAGE ON SCHEMA {schema} TO {quoted};
            GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {quoted};
            REVOKE INSERT, UPDATE, DELETE ON {schema}.migrations FROM {quoted};
            GRANT USAGE, UPDATE ON ALL SEQUENCES IN SCHEMA {schema} TO {quoted};
            GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {schema} TO {quoted};

            """;
    }

    // The steps would fail anyway on what they were not written for, at one place or another; this says why.
    private static string Guard(string schema, int version)
    {
        var found = version == 0
            ? $"EXISTS (SELECT FROM pg_catalog.pg_tables WHERE schemaname = '{schema}' AND tablename = 'migrations')"
            : string.Create(CultureInfo.InvariantCulture, $"(SELECT coalesce(max(version), 0) <> {version} FROM {schema}.migrations)");
        var message = version == 0
            ? $"The schema {schema} has a store already."
            : string.Create(CultureInfo.InvariantCulture, $"The store in the schema {schema} is not of version {version}.");
        return
            $"""
            DO $$ BEGIN IF {found} THEN RAISE EXCEPTION '{message}'; END IF; END $$;
            """;
    }

    private static IEnumerable<string> Read()
    {
        var assembly = Assembly.GetExecutingAssembly();
        for (var version = 1; ; version++)
        {
            using var stream = assembly.GetManifestResourceStream(string.Create(CultureInfo.InvariantCulture, $"Coppice.PostgreSql.Migrations.{version:0000}.sql"));
            if (stream is null)
            {
                yield break;
            }

            using var reader = new StreamReader(stream);
            yield return reader.ReadToEnd().TrimEnd();
        }
    }
}
