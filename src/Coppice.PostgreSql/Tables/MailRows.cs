namespace Coppice.PostgreSql;

/// <summary>The writer's statements on mail.</summary>
internal sealed class MailRows(WriterConnection connection, ThreadRows? threads = null) : IMailRows
{
    private readonly Additions<MailRow> _added = connection.Add(new Additions<MailRow>(RowWriter<MailRow>.Inserts(
        connection.InSchema("{schema}.mail"),
        [
            new NumberColumn<MailRow>("owner_thread_id", static row => row.Thread),
            new NumberColumn<MailRow>("seq", static row => row.Sequence),
            new NumberColumn<MailRow>("class", static row => (long)row.Class),
            new NumberColumn<MailRow>("task", static row => row.Addressee),
            new TextColumn<MailRow>("json", static row => row.Json),
        ])));

    private readonly Statement _acknowledge = connection.Prepare(
        "WITH gone AS (DELETE FROM {schema}.mail WHERE owner_thread_id = $1 AND seq <= $2 RETURNING class) "
        + "SELECT class, count(*) FROM gone GROUP BY class");

    private readonly Statement _acknowledgeAll = connection.Prepare("DELETE FROM {schema}.mail WHERE owner_thread_id = $1 AND seq <= $2");
    private readonly Additions<(long Thread, long Through)> _acknowledged = connection.Add(new Additions<(long Thread, long Through)>(
        RowWriter<(long Thread, long Through)>.Deletes(
            connection.InSchema("{schema}.mail"),
            [
                new NumberColumn<(long Thread, long Through)>("owner_thread_id", static row => row.Thread),
                new NumberColumn<(long Thread, long Through)>("seq", static row => row.Through),
            ],
            lastComparison: "<=")));
    private readonly Statement _take = connection.Prepare("DELETE FROM {schema}.mail WHERE owner_thread_id = $1 AND seq = $2 RETURNING json");

    // The class of a message is 2.
    private readonly Statement _bury = connection.Prepare(
        "WITH gone AS (DELETE FROM {schema}.mail WHERE owner_thread_id = $1 AND class = 2 AND task = $2 RETURNING seq, json) "
        + "SELECT seq, json FROM gone ORDER BY seq");

    public void Add(long thread, long sequence, MailClass mailClass, long? addressee, MailEvent mail)
    {
        connection.Lock(thread);
        _added.Add(new MailRow(thread, sequence, mailClass, addressee, MailEventJson.Serialize(mail)));
    }

    public MailCounts Acknowledge(long thread, long through)
    {
        connection.Lock(thread);
        if (threads?.Head(thread) is { } head && through >= head.LastSequence)
        {
            AcknowledgeAll(thread, through);
            return head.Unacknowledged;
        }

        var gone = default(MailCounts);
        using var rows = _acknowledge.Bind(thread).Bind(through).Rows();
        while (rows.Next())
        {
            gone += MailCounts.Of((MailClass)rows.Number(0), (int)rows.Number(1));
        }

        return gone;
    }

    public string? Take(long thread, long sequence)
    {
        connection.Lock(thread);
        using var rows = _take.Bind(thread).Bind(sequence).Rows();
        return rows.Next() ? rows.Text(0) : null;
    }

    public IReadOnlyList<(long Sequence, string Json)> Bury(long thread, long agent)
    {
        connection.Lock(thread);
        var letters = new List<(long Sequence, string Json)>();
        using var rows = _bury.Bind(thread).Bind(agent).Rows();
        while (rows.Next())
        {
            letters.Add((rows.Number(0), rows.Text(1)));
        }

        return letters;
    }

    private void AcknowledgeAll(long thread, long through)
    {
        // Within one statement, mail that it adds cannot be seen.
        if (connection.IsAhead && !_added.Any(row => row.Thread == thread))
        {
            _acknowledged.Add((thread, through));
        }
        else
        {
            _acknowledgeAll.Bind(thread).Bind(through).Note();
        }
    }

    private readonly record struct MailRow(long Thread, long Sequence, MailClass Class, long? Addressee, string Json);
}
