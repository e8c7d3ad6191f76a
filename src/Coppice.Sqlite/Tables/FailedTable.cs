namespace Coppice.Sqlite;

/// <summary>The writer's statements on failed messages.</summary>
internal sealed class FailedTable(Connection connection, GrownSenders grown) : IFailedMessageRows
{
    private readonly Statement _add = connection.Prepare(
        "INSERT INTO failed_messages (sender, recipient, box, seq, attempts, failed_ms, json, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");

    private readonly Statement _list = connection.Prepare("SELECT n, recipient, box, json FROM failed_messages WHERE sender = ? ORDER BY n");
    private readonly Statement _get = connection.Prepare("SELECT n, recipient, box, json FROM failed_messages WHERE sender = ? AND n = ?");
    private readonly Statement _remove = connection.Prepare("DELETE FROM failed_messages WHERE n = ?");
    private readonly Statement _clear = connection.Prepare("DELETE FROM failed_messages WHERE sender = ? RETURNING 1");
    private readonly Statement _trim = connection.Prepare(
        "DELETE FROM failed_messages WHERE sender = ?1 AND n <= "
        + "(SELECT n FROM failed_messages WHERE sender = ?1 ORDER BY n DESC LIMIT 1 OFFSET ?2) RETURNING 1");

    public void Add(long sender, long recipient, MessageBox box, long sequence, int attempts, DateTimeOffset now, string json, string reason)
    {
        _add.Bind(sender).Bind(recipient).Bind((long)box).Bind(sequence).Bind(attempts).Bind(now).Bind(json).Bind(reason).Run();
        grown.Add([sender]);
    }

    /// <summary>The failed messages of a sender, all or those of some numbers, in order.</summary>
    public IReadOnlyList<FailedEntry> List(long sender, IReadOnlyCollection<long>? numbers)
    {
        var entries = new List<FailedEntry>();
        if (numbers is null)
        {
            Read(_list.Bind(sender), entries);
            return entries;
        }

        foreach (var number in numbers.Distinct().Order())
        {
            Read(_get.Bind(sender).Bind(number), entries);
        }

        return entries;
    }

    public void Remove(long number) => _remove.Bind(number).Run();

    public int Clear(long sender) => Count(_clear.Bind(sender));

    /// <summary>Drops the oldest of the threads to which some came, where there are too many, and tells how many.</summary>
    public int Trim(int max)
    {
        var dropped = 0;
        var senders = grown.ToList();
        grown.Remove(senders);
        foreach (var sender in senders)
        {
            dropped += Count(_trim.Bind(sender).Bind(max));
        }

        return dropped;
    }

    private static int Count(Statement statement)
    {
        var count = 0;
        using var rows = statement.Rows();
        while (rows.Next())
        {
            count++;
        }

        return count;
    }

    private static void Read(Statement statement, List<FailedEntry> entries)
    {
        using var rows = statement.Rows();
        while (rows.Next())
        {
            entries.Add(new FailedEntry(rows.Number(0), rows.Number(1), (MessageBox)rows.Number(2), rows.Text(3)));
        }
    }
}
