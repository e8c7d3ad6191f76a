using Npgsql;
using NpgsqlTypes;

namespace Coppice.PostgreSql;

/// <summary>
/// A statement of a writer's connection, used again and again on the writer's own thread; the server prepares it after its second use. Each use binds every
/// parameter, in order. A time is stored in milliseconds since 1970.
/// </summary>
/// <param name="connection">The connection.</param>
/// <param name="sql">Its text.</param>
/// <param name="isApart">
/// Whether its answer does not depend on what the transaction has noted and not sent, which is then not sent before it.
/// </param>
internal sealed class Statement(WriterConnection connection, string sql, bool isApart)
{
    private NpgsqlCommand? _bound;

    public Statement Bind(long? value) => Add(Parameter.Of(value));

    public Statement Bind(bool value) => Add(new NpgsqlParameter<bool> { NpgsqlDbType = NpgsqlDbType.Boolean, TypedValue = value });

    public Statement Bind(string? value) => Add(Parameter.Of(value));

    public Statement Bind(Guid? value) => Add(new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Uuid, Value = value ?? (object)DBNull.Value });

    public Statement Bind(DateTimeOffset? value) => Bind(value?.ToUnixTimeMilliseconds());

    public Statement Bind(long[] values) =>
        Add(new NpgsqlParameter<long[]> { NpgsqlDbType = NpgsqlDbType.Bigint | NpgsqlDbType.Array, TypedValue = values });

    public Statement Bind(string[] values) =>
        Add(new NpgsqlParameter<string[]> { NpgsqlDbType = NpgsqlDbType.Text | NpgsqlDbType.Array, TypedValue = values });

    /// <summary>Notes it for later: it is sent before anything is read that may depend on it, and at the latest with the commit.</summary>
    public void Note() => connection.Note(Take());

    /// <summary>Runs it and tells how many rows it wrote.</summary>
    public int Run() => connection.Run(Take(), isApart);

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
    public RowScope Rows() => connection.Read(Take(), isApart);

    /// <summary>A question that is asked together with others.</summary>
    /// <param name="take">Takes its rows in.</param>
    public Question Ask(Action<RowScope> take) => new(Take(), take);

    private Statement Add(NpgsqlParameter parameter)
    {
        (_bound ??= new NpgsqlCommand(sql)).Parameters.Add(parameter);
        return this;
    }

    private NpgsqlCommand Take()
    {
        var bound = _bound ?? new NpgsqlCommand(sql);
        _bound = null;
        return bound;
    }
}
