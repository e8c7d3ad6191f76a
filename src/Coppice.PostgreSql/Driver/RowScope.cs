using Npgsql;

namespace Coppice.PostgreSql;

/// <summary>The rows of one run of a statement.</summary>
internal readonly struct RowScope(NpgsqlDataReader reader, NpgsqlCommand? command = null) : IDisposable
{
    public NpgsqlDataReader Reader => reader;

    public bool Next() => reader.Read();

    public bool IsNull(int column) => reader.IsDBNull(column);

    public long Number(int column) => reader.GetInt64(column);

    public long? NumberOrNull(int column) => IsNull(column) ? null : Number(column);

    public bool Flag(int column) => reader.GetBoolean(column);

    public string Text(int column) => reader.GetString(column);

    public string? TextOrNull(int column) => IsNull(column) ? null : Text(column);

    public Guid Guid(int column) => reader.GetGuid(column);

    public Guid? GuidOrNull(int column) => IsNull(column) ? null : Guid(column);

    public DateTimeOffset Time(int column) => DateTimeOffset.FromUnixTimeMilliseconds(Number(column));

    public DateTimeOffset? TimeOrNull(int column) => IsNull(column) ? null : Time(column);

    public long[] NumberArray(int column) => reader.GetFieldValue<long[]>(column);

    public void Dispose()
    {
        reader.Dispose();
        command?.Dispose();
    }
}
