using System.Text;
using Coppice.PostgreSql;

namespace Coppice;

/// <summary>The tables of a <see cref="PostgreSqlTaskStore"/>, for people who make and upgrade them by hand.</summary>
public static class PostgreSqlSchema
{
    // PostgreSQL cuts a longer name short, and what is left may be somebody else's.
    private const int LongestRoleBytes = 63;

    /// <summary>Gets the version of the schema that this library writes. A store refuses a newer one, and brings an older one forward.</summary>
    public static int Version => Migrations.OfStore.Count;

    /// <summary>
    /// The SQL that makes the schema, or brings an older version forward, in one transaction. It fails and changes nothing where what is there is
    /// not of <paramref name="fromVersion"/>.
    /// </summary>
    /// <param name="schema">The PostgreSQL schema, as in <see cref="PostgreSqlTaskStoreOptions.Schema"/>.</param>
    /// <param name="fromVersion">The version that is there, from 0 to <see cref="Version"/>; 0 when there is none.</param>
    /// <exception cref="ArgumentException"><paramref name="schema"/> is no name of a schema.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="fromVersion"/> is not from 0 to <see cref="Version"/>.</exception>
    public static string CreateScript(string schema = "coppice", int fromVersion = 0)
    {
        CheckSchema(schema);
        ArgumentOutOfRangeException.ThrowIfNegative(fromVersion);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(fromVersion, Version);
        return Migrations.OfStore.Script(schema, fromVersion);
    }

    /// <summary>
    /// The SQL that lets a role run hosts on the schema and do nothing else there: no table can be changed, made or dropped by it. It is for the
    /// tables that are there, so it is to be run again after an upgrade.
    /// </summary>
    /// <param name="role">The role, as it is written in the server's catalog: it is quoted, so case counts. Up to 63 bytes in UTF-8.</param>
    /// <param name="schema">The PostgreSQL schema, which holds nothing but the store: the rights are on all tables in it.</param>
    /// <exception cref="ArgumentException">
    /// <paramref name="role"/> is empty, too long, not valid Unicode, has a NUL, or is <c>public</c>, which is no role but everybody; or
    /// <paramref name="schema"/> is no name of a schema.
    /// </exception>
    public static string CreateGrants(string role, string schema = "coppice")
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(role);
        CheckSchema(schema);
        if (role.Contains('\0', StringComparison.Ordinal) || !IsUnicode(role) || Encoding.UTF8.GetByteCount(role) > LongestRoleBytes)
        {
            throw new ArgumentException($"The name of a role is up to {LongestRoleBytes} bytes of UTF-8, without NUL.", nameof(role));
        }

        if (role is "public" or "none")
        {
            throw new ArgumentException($"'{role}' is not a role. Name the role that the hosts log in as.", nameof(role));
        }

        return Migrations.Grants(role, schema);
    }

    private static void CheckSchema(string schema)
    {
        ArgumentNullException.ThrowIfNull(schema);
        if (!PostgreSqlTaskStoreOptions.IsSchemaName(schema))
        {
            throw new ArgumentException($"'{schema}' is not the name of a schema: {PostgreSqlTaskStoreOptions.SchemaForm}.", nameof(schema));
        }
    }

    private static bool IsUnicode(string text)
    {
        for (var rest = text.AsSpan(); !rest.IsEmpty;)
        {
            if (Rune.DecodeFromUtf16(rest, out _, out var read) != System.Buffers.OperationStatus.Done)
            {
                return false;
            }

            rest = rest[read..];
        }

        return true;
    }
}
