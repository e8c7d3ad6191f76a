using System.Diagnostics.CodeAnalysis;
using Npgsql;
using NpgsqlTypes;

namespace Coppice.PostgreSql;

/// <summary>
/// A statement of a writer's connection, used again and again on the writer's own thread; the server prepares it after its second use. Each use binds every
/// parameter, in order. A time is stored in milliseconds since 1970.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A command holds nothing; it goes with its connection.")]
internal sealed class Statement(NpgsqlConnection connection, string sql)
{
    private readonly NpgsqlCommand _command = new(sql, connection);
    private int _next;

    public Statement Bind(long? value) => Set(NpgsqlDbType.Bigint, value);

    public Statement Bind(bool value) => Set(NpgsqlDbType.Boolean, value);

    public Statement Bind(string? value) => Set(NpgsqlDbType.Text, value);

    public Statement Bind(Guid? value) => Set(NpgsqlDbType.Uuid, value);

    public Statement Bind(DateTimeOffset? value) => Bind(value?.ToUnixTimeMilliseconds());

    public Statement Bind(long[] values) => Set(NpgsqlDbType.Bigint | NpgsqlDbType.Array, values);

    public Statement Bind(string[] values) => Set(NpgsqlDbType.Text | NpgsqlDbType.Array, values);

    /// <summary>Runs it and tells how many rows it wrote.</summary>
    public int Run()
    {
        _next = 0;
        return _command.ExecuteNonQuery();
    }

    /// <summary>Runs it and reads one whole number; <see langword="null"/> when there is no row or it is NULL.</summary>
    public long? Scalar()
    {
        using var rows = Rows();
        return rows.Next() ? rows.NumberOrNull(0) : null;
    }

    /// <summary>Runs it and reads the whole numbers of its first column.</summary>
    public List<long> Numbers()
    {
        var numbers = new List<long>();
        using var rows = Rows();
        while (rows.Next())
        {
            numbers.Add(rows.Number(0));
        }

        return numbers;
    }

    /// <summary>Runs it for its rows, which have to be disposed of before the connection is used again.</summary>
    public RowScope Rows()
    {
        _next = 0;
        return new RowScope(_command.ExecuteReader());
    }

    private Statement Set(NpgsqlDbType type, object? value)
    {
        if (_next == _command.Parameters.Count)
        {
            _command.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = type });
        }

        _command.Parameters[_next++].Value = value ?? DBNull.Value;
        return this;
    }
}
