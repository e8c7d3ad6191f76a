namespace Coppice.PostgreSql;

/// <summary>Rows that are only added.</summary>
/// <param name="writer">What writes them.</param>
internal sealed class Additions<TRow>(RowWriter<TRow> writer) : INoted
{
    private readonly List<TRow> _rows = [];
    private int? _mark;

    public void Add(in TRow row) => _rows.Add(row);

    /// <summary>Whether there is such a row that was not sent yet.</summary>
    public bool Any(Predicate<TRow> predicate) => _rows.Exists(predicate);

    public void Mark() => _mark = _rows.Count;

    public void Keep() => _mark = null;

    public void TakeBack()
    {
        _rows.RemoveRange(_mark!.Value, _rows.Count - _mark.Value);
        _mark = null;
    }

    public void SendMarked(Outgoing outgoing) => Send(outgoing, _mark ?? _rows.Count);

    public void SendRest(Outgoing outgoing) => Send(outgoing, _rows.Count);

    public void Forget()
    {
        _rows.Clear();
        _mark = null;
    }

    private void Send(Outgoing outgoing, int count)
    {
        writer.Write(outgoing, count == _rows.Count ? _rows : _rows.GetRange(0, count));
        _rows.RemoveRange(0, count);
        _mark = _mark is null ? null : 0;
    }
}
