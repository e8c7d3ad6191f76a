using Npgsql;

namespace Coppice.PostgreSql;

/// <summary>What a transaction is about to send: parts that go out as one statement, then statements that go out by themselves, because they see what the parts wrote.</summary>
internal sealed class Outgoing
{
    private readonly List<Part> _parts = [];
    private readonly List<NpgsqlCommand> _statements = [];

    public IReadOnlyList<Part> Parts => _parts;

    public IReadOnlyList<NpgsqlCommand> Statements => _statements;

    /// <summary>Adds a part. The order of parts is not that in which the server runs them.</summary>
    /// <param name="text">Its text.</param>
    /// <param name="values">Its values.</param>
    /// <param name="after">How many of the parts right before it the server has to run first.</param>
    public void Add(WriteText text, NpgsqlParameter[] values, int after = 0) => _parts.Add(new Part(text, values, after));

    /// <summary>Adds a statement that sees what all parts have written.</summary>
    public void Add(NpgsqlCommand command) => _statements.Add(command);

    public void Clear()
    {
        _parts.Clear();
        _statements.Clear();
    }

    internal readonly record struct Part(WriteText Text, NpgsqlParameter[] Values, int After);
}
