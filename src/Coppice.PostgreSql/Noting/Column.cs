using Npgsql;
using NpgsqlTypes;

namespace Coppice.PostgreSql;

/// <summary>A column of a row that is written.</summary>
/// <param name="name">Its name.</param>
internal abstract class Column<TRow>(string name)
{
    public string Name => name;

    /// <summary>Gets whether it is set once and no more: where a change of the row does not have it, it stays.</summary>
    public bool IsSetOnce { get; init; }

    /// <summary>Its value in one row.</summary>
    public abstract NpgsqlParameter One(in TRow row);

    /// <summary>Its values in many.</summary>
    public abstract NpgsqlParameter Many(List<TRow> rows);
}

/// <summary>A whole number, or a time in milliseconds since 1970.</summary>
internal sealed class NumberColumn<TRow>(string name, Func<TRow, long?> value) : Column<TRow>(name)
{
    public override NpgsqlParameter One(in TRow row) => Parameter.Of(value(row));

    public override NpgsqlParameter Many(List<TRow> rows) => new NpgsqlParameter<long?[]>
    {
        NpgsqlDbType = NpgsqlDbType.Bigint | NpgsqlDbType.Array,
        TypedValue = Values.Of(rows, value),
    };
}

/// <summary>A text.</summary>
internal sealed class TextColumn<TRow>(string name, Func<TRow, string?> value) : Column<TRow>(name)
{
    public override NpgsqlParameter One(in TRow row) => Parameter.Of(value(row));

    public override NpgsqlParameter Many(List<TRow> rows) => new NpgsqlParameter<string?[]>
    {
        NpgsqlDbType = NpgsqlDbType.Text | NpgsqlDbType.Array,
        TypedValue = Values.Of(rows, value),
    };
}

/// <summary>A yes or no.</summary>
internal sealed class FlagColumn<TRow>(string name, Func<TRow, bool> value) : Column<TRow>(name)
{
    public override NpgsqlParameter One(in TRow row) =>
        new NpgsqlParameter<bool> { NpgsqlDbType = NpgsqlDbType.Boolean, TypedValue = value(row) };

    public override NpgsqlParameter Many(List<TRow> rows) => new NpgsqlParameter<bool[]>
    {
        NpgsqlDbType = NpgsqlDbType.Boolean | NpgsqlDbType.Array,
        TypedValue = Values.Of(rows, value),
    };
}

/// <summary>A number that is unique in the world.</summary>
internal sealed class GuidColumn<TRow>(string name, Func<TRow, Guid?> value) : Column<TRow>(name)
{
    public override NpgsqlParameter One(in TRow row) =>
        new() { NpgsqlDbType = NpgsqlDbType.Uuid, Value = value(row) ?? (object)DBNull.Value };

    public override NpgsqlParameter Many(List<TRow> rows) => new NpgsqlParameter<Guid?[]>
    {
        NpgsqlDbType = NpgsqlDbType.Uuid | NpgsqlDbType.Array,
        TypedValue = Values.Of(rows, value),
    };
}

file static class Values
{
    public static TValue[] Of<TRow, TValue>(List<TRow> rows, Func<TRow, TValue> value)
    {
        var values = new TValue[rows.Count];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = value(rows[i]);
        }

        return values;
    }
}
