namespace Coppice.PostgreSql;

/// <summary>The ids of tasks that are not of the form <c>bg_n</c>, and their numbers, from 2^60.</summary>
internal sealed class IdRows(WriterConnection connection, WriterConnection aside) : IIdRows
{
    internal const string FindSql = "SELECT n FROM {schema}.foreign_ids WHERE {schema}.index_key(id) = {schema}.index_key($1)";

    private readonly Statement _find = connection.PrepareApart(FindSql);
    private readonly Statement _idOf = connection.PrepareApart("SELECT id FROM {schema}.foreign_ids WHERE n = $1");
    private readonly Statement _add = aside.Prepare(
        "INSERT INTO {schema}.foreign_ids (id, n) VALUES ($1, nextval('{schema}.foreign_numbers')) ON CONFLICT DO NOTHING");

    public long? Find(string id) => TaskIds.TryParse(id, out var number) ? number : _find.Bind(id).Scalar();

    public long Ensure(string id)
    {
        if (Find(id) is { } known)
        {
            return known;
        }

        // Kept at once, whatever becomes of the transaction: two that need the same id shall not wait for each other.
        _add.Bind(id).Run();
        return Find(id)!.Value;
    }

    public string IdOf(long number)
    {
        if (number < TaskRow.FirstForeign)
        {
            return TaskIds.Format(number);
        }

        using var rows = _idOf.Bind(number).Rows();
        return rows.Next() ? rows.Text(0) : throw new InvalidOperationException($"No task id has the number {number}.");
    }
}
