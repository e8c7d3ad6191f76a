using System.Globalization;
using Npgsql;

namespace Coppice.PostgreSql;

/// <summary>Writes rows to a table: one by one while they are few, as arrays when they are many.</summary>
internal sealed class RowWriter<TRow>
{
    // A statement over arrays costs the server as much as several over values that it has prepared.
    private const int Few = 3;

    private readonly Column<TRow>[] _columns;
    private readonly string _one;
    private readonly string _many;

    private RowWriter(Column<TRow>[] columns, string one, string many) => (_columns, _one, _many) = (columns, one, many);

    /// <summary>Adds rows.</summary>
    /// <param name="table">The table.</param>
    /// <param name="columns">Its columns.</param>
    /// <param name="onConflict">What to do where there is one, in SQL; as a rule there is none.</param>
    public static RowWriter<TRow> Inserts(string table, Column<TRow>[] columns, string onConflict = "")
    {
        var into = $"INSERT INTO {table} ({Names(columns)})";
        return new(columns, $"{into} VALUES ({Places(columns)}) {onConflict}", $"{into} SELECT * FROM unnest({Places(columns)}) {onConflict}");
    }

    /// <summary>Changes rows.</summary>
    /// <param name="table">The table.</param>
    /// <param name="key">The columns of its key.</param>
    /// <param name="columns">Those that change.</param>
    public static RowWriter<TRow> Updates(string table, Column<TRow>[] key, Column<TRow>[] columns)
    {
        Column<TRow>[] all = [.. key, .. columns];
        var one = columns.Select((column, i) => Set(column, Place(key.Length + i), column.Name));
        var many = columns.Select(column => Set(column, $"u.{column.Name}", $"t.{column.Name}"));
        return new(
            all, $"UPDATE {table} SET {Joined(one)} WHERE {KeyIsPlaces(key)}",
            $"UPDATE {table} t SET {Joined(many)} FROM unnest({Places(all)}) AS u ({Names(all)}) WHERE {KeyIsSame(key)}");
    }

    /// <summary>Deletes rows.</summary>
    /// <param name="table">The table.</param>
    /// <param name="key">The columns of its key.</param>
    public static RowWriter<TRow> Deletes(string table, Column<TRow>[] key) => new(
        key, $"DELETE FROM {table} WHERE {KeyIsPlaces(key)}",
        $"DELETE FROM {table} t USING unnest({Places(key)}) AS u ({Names(key)}) WHERE {KeyIsSame(key)}");

    /// <summary>Sends what writes some rows.</summary>
    public void Write(Outgoing outgoing, List<TRow> rows)
    {
        if (rows.Count > Few)
        {
            var command = new NpgsqlCommand(_many);
            foreach (var column in _columns)
            {
                command.Parameters.Add(column.Many(rows));
            }

            outgoing.Add(command);
            return;
        }

        foreach (var row in rows)
        {
            var command = new NpgsqlCommand(_one);
            foreach (var column in _columns)
            {
                command.Parameters.Add(column.One(row));
            }

            outgoing.Add(command);
        }
    }

    private static string Set(Column<TRow> column, string value, string before) =>
        column.IsSetOnce ? $"{column.Name} = coalesce({value}, {before})" : $"{column.Name} = {value}";

    private static string KeyIsPlaces(Column<TRow>[] key) => string.Join(" AND ", key.Select(static (column, i) => $"{column.Name} = {Place(i)}"));

    private static string KeyIsSame(Column<TRow>[] key) => string.Join(" AND ", key.Select(static column => $"t.{column.Name} = u.{column.Name}"));

    private static string Names(Column<TRow>[] columns) => Joined(columns.Select(static column => column.Name));

    private static string Places(Column<TRow>[] columns) => Joined(columns.Select(static (_, i) => Place(i)));

    private static string Place(int index) => string.Create(CultureInfo.InvariantCulture, $"${index + 1}");

    private static string Joined(IEnumerable<string> parts) => string.Join(", ", parts);
}
