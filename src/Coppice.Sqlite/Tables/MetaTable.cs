namespace Coppice.Sqlite;

/// <summary>The one row of counters.</summary>
internal sealed class MetaTable(Connection connection)
{
    private readonly Statement _load = connection.Prepare(
        "SELECT revision, next_task, next_foreign, next_epoch, mail_depth, last_claim, last_turn FROM meta");

    private readonly Statement _save = connection.Prepare(
        "UPDATE meta SET revision = ?, next_task = ?, next_foreign = ?, next_epoch = ?, mail_depth = ?, last_claim = ?, last_turn = ?");

    private readonly Statement _revision = connection.Prepare("SELECT revision FROM meta");

    public Counters Load()
    {
        using var rows = _load.Rows();
        rows.Next();
        return new Counters
        {
            Revision = rows.Number(0),
            NextTask = rows.Number(1),
            NextForeign = rows.Number(2),
            NextEpoch = rows.Number(3),
            MailDepth = rows.Number(4),
            LastClaim = rows.Number(5),
            LastTurn = rows.Number(6),
        };
    }

    public void Save(Counters counters) =>
        _save.Bind(counters.Revision).Bind(counters.NextTask).Bind(counters.NextForeign).Bind(counters.NextEpoch).Bind(counters.MailDepth)
            .Bind(counters.LastClaim).Bind(counters.LastTurn).Run();

    /// <summary>The revision that is stored: that of the last group that landed with a change.</summary>
    public long Revision() => _revision.Scalar() ?? 0;
}
