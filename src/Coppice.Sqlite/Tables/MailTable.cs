namespace Coppice.Sqlite;

/// <summary>The writer's statements on mail and dead letters.</summary>
internal sealed class MailTable(Connection connection) : IMailRows
{
    private readonly Statement _add = connection.Prepare("INSERT INTO mail (place, class, task, json) VALUES (?, ?, ?, ?)");
    private readonly Statement _acknowledge = connection.Prepare("DELETE FROM mail WHERE place > ? AND place <= ? RETURNING class");
    private readonly Statement _count = connection.Prepare("SELECT class, count(*) FROM mail WHERE place > ? AND place <= ? GROUP BY class");
    private readonly Statement _addressed = connection.Prepare(
        "SELECT place, json FROM mail WHERE place > ? AND place <= ? AND class = 2 AND task = ? ORDER BY place");

    private readonly Statement _remove = connection.Prepare("DELETE FROM mail WHERE place = ?");
    private readonly Statement _take = connection.Prepare("DELETE FROM mail WHERE place = ? RETURNING json");

    public void Add(long thread, long sequence, MailClass mailClass, long? addressee, MailEvent mail) =>
        _add.Bind(MailPlace.Of(thread, sequence)).Bind((long)mailClass).Bind(addressee).Bind(MailEventJson.Serialize(mail)).Run();

    /// <summary>Deletes mail up to a sequence and says what it was.</summary>
    public MailCounts Acknowledge(long thread, long through)
    {
        var gone = default(MailCounts);
        using var rows = _acknowledge.Bind(MailPlace.Of(thread, 0)).Bind(MailPlace.Through(thread, through)).Rows();
        while (rows.Next())
        {
            gone += MailCounts.One((MailClass)rows.Number(0));
        }

        return gone;
    }

    /// <summary>Counts mail after one sequence and up to another.</summary>
    public MailCounts Count(long thread, long after, long through)
    {
        var counts = default(MailCounts);
        using var rows = _count.Bind(MailPlace.Through(thread, after)).Bind(MailPlace.Through(thread, through)).Rows();
        while (rows.Next())
        {
            counts += MailCounts.Of((MailClass)rows.Number(0), (int)rows.Number(1));
        }

        return counts;
    }

    /// <summary>Takes one piece of mail out and returns its JSON, if it is there.</summary>
    public string? Take(long thread, long sequence)
    {
        using var rows = _take.Bind(MailPlace.Of(thread, sequence)).Rows();
        var json = rows.Next() ? rows.Text(0) : null;
        while (rows.Next())
        {
            // The statement has to run to its end.
        }

        return json;
    }

    /// <summary>Takes the messages out that are addressed to an agent task.</summary>
    public IReadOnlyList<(long Sequence, string Json)> Bury(long thread, long agent)
    {
        var letters = new List<(long Place, string Json)>();
        using (var rows = _addressed.Bind(MailPlace.Of(thread, 0)).Bind(MailPlace.Through(thread, long.MaxValue)).Bind(agent).Rows())
        {
            while (rows.Next())
            {
                letters.Add((rows.Number(0), rows.Text(1)));
            }
        }

        foreach (var (place, _) in letters)
        {
            _remove.Bind(place).Run();
        }

        return letters.ConvertAll(letter => (MailPlace.SequenceAt(letter.Place), letter.Json));
    }
}
