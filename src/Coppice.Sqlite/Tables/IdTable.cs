namespace Coppice.Sqlite;

/// <summary>Task ids and their numbers. An id of the form that stores give is its number; others are kept in a table.</summary>
internal sealed class IdTable(Connection connection, Counters counters) : IIdRows
{
    private readonly Statement _find = connection.Prepare("SELECT n FROM foreign_ids WHERE id = ?");
    private readonly Statement _name = connection.Prepare("SELECT id FROM foreign_ids WHERE n = ?");
    private readonly Statement _add = connection.Prepare("INSERT INTO foreign_ids (n, id) VALUES (?, ?)");

    /// <summary>The number of an id, or <see langword="null"/> when the store has never seen it.</summary>
    public long? Find(string id) => TaskIds.TryParse(id, out var number) ? number : _find.Bind(id).Scalar();

    /// <summary>The number of an id, given now where there is none.</summary>
    public long Ensure(string id)
    {
        if (Find(id) is { } known)
        {
            return known;
        }

        var number = counters.NextForeign++;
        _add.Bind(number).Bind(id).Run();
        return number;
    }

    public string IdOf(long number)
    {
        if (number < Schema.FirstForeign)
        {
            return TaskIds.Format(number);
        }

        using var rows = _name.Bind(number).Rows();
        rows.Next();
        return rows.Text(0);
    }
}
