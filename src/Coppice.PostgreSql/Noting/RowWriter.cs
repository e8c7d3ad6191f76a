using Npgsql;

namespace Coppice.PostgreSql;

/// <summary>Writes rows to a table: one as values, several as arrays.</summary>
internal sealed class RowWriter<TRow>
{
    private readonly Column<TRow>[] _columns;
    private readonly WriteText _one;
    private readonly WriteText _many;

    private RowWriter(Column<TRow>[] columns, Func<int, string, string> one, Func<int, string, string> many) =>
        (_columns, _one, _many) = (columns, new WriteText(one), new WriteText(many));

    /// <summary>Adds rows.</summary>
    /// <param name="table">The table.</param>
    /// <param name="columns">Its columns.</param>
    /// <param name="onConflict">What to do where there is one, in SQL; as a rule there is none.</param>
    public static RowWriter<TRow> Inserts(string table, Column<TRow>[] columns, string onConflict = "")
    {
        var into = $"INSERT INTO {table} ({Names(columns)})";
        return new(
            columns, (first, condition) => $"{into} SELECT {Places(columns, first)} WHERE true{condition} {onConflict}",
            (first, condition) => $"{into} SELECT * FROM unnest({Places(columns, first)}) WHERE true{condition} {onConflict}");
    }

    /// <summary>Changes rows.</summary>
    /// <param name="table">The table.</param>
    /// <param name="key">The columns of its key.</param>
    /// <param name="columns">Those that change.</param>
    public static RowWriter<TRow> Updates(string table, Column<TRow>[] key, Column<TRow>[] columns)
    {
        Column<TRow>[] all = [.. key, .. columns];
        var many = Joined(columns.Select(column => Set(column, $"u.{column.Name}", $"t.{column.Name}")));
        return new(
            all,
            (first, condition) =>
            {
                var one = columns.Select((column, i) => Set(column, WriteText.Place(first + key.Length + i), column.Name));
                return $"UPDATE {table} SET {Joined(one)} WHERE {KeyIsPlaces(key, first)}{condition}";
            },
            (first, condition) => $"UPDATE {table} t SET {many} FROM unnest({Places(all, first)}) AS u ({Names(all)}) WHERE {KeyIsSame(key)}{condition}");
    }

    /// <summary>Deletes rows.</summary>
    /// <param name="table">The table.</param>
    /// <param name="key">The columns of its key.</param>
    /// <param name="lastComparison">How the last of them is compared.</param>
    public static RowWriter<TRow> Deletes(string table, Column<TRow>[] key, string lastComparison = "=") => new(
        key, (first, condition) => $"DELETE FROM {table} WHERE {KeyIsPlaces(key, first, lastComparison)}{condition}",
        (first, condition) =>
            $"DELETE FROM {table} t USING unnest({Places(key, first)}) AS u ({Names(key)}) WHERE {KeyIsSame(key, lastComparison)}{condition}");

    /// <summary>Sends what writes some rows.</summary>
    /// <param name="outgoing">Where it goes.</param>
    /// <param name="rows">The rows, each of a key of its own; if there are none, nothing is sent.</param>
    /// <param name="after">How many of the parts right before have to be written first.</param>
    /// <returns>How many parts were sent.</returns>
    public int Write(Outgoing outgoing, List<TRow> rows, int after = 0)
    {
        if (rows.Count == 0)
        {
            return 0;
        }

        var values = new NpgsqlParameter[_columns.Length];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = rows.Count == 1 ? _columns[i].One(rows[0]) : _columns[i].Many(rows);
        }

        outgoing.Add(rows.Count == 1 ? _one : _many, values, after);
        return 1;
    }

    private static string Set(Column<TRow> column, string value, string before) =>
        column.IsSetOnce ? $"{column.Name} = coalesce({value}, {before})" : $"{column.Name} = {value}";

    private static string KeyIsPlaces(Column<TRow>[] key, int first, string last = "=") =>
        KeyIs(key, last, i => WriteText.Place(first + i), "");

    private static string KeyIsSame(Column<TRow>[] key, string last = "=") => KeyIs(key, last, i => $"u.{key[i].Name}", "t.");

    private static string KeyIs(Column<TRow>[] key, string last, Func<int, string> value, string table) =>
        string.Join(" AND ", key.Select((column, i) => $"{table}{column.Name} {(i == key.Length - 1 ? last : "=")} {value(i)}"));

    private static string Names(Column<TRow>[] columns) => Joined(columns.Select(static column => column.Name));

    private static string Places(Column<TRow>[] columns, int first) => Joined(columns.Select((_, i) => WriteText.Place(first + i)));

    private static string Joined(IEnumerable<string> parts) => string.Join(", ", parts);
}
