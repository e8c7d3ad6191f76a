namespace Coppice.PostgreSql;

/// <summary>
/// Rows of a table as the transaction is going to leave them. However often a row changes, it is written once.
/// </summary>
/// <param name="insert">What adds rows, or puts them in the place of what is there.</param>
/// <param name="update">What changes rows.</param>
/// <param name="delete">What deletes rows.</param>
/// <param name="over">The later image of a row on top of an earlier one.</param>
internal sealed class Images<TRow>(RowWriter<TRow>? insert, RowWriter<TRow>? update, RowWriter<TRow>? delete, Func<TRow, TRow, TRow> over) : INoted
{
    private Dictionary<long, (Change Change, TRow Row)> _rows = [];
    private Dictionary<long, (Change Change, TRow Row)> _beforeMark = [];
    private bool _isMarked;

    private enum Change
    {
        Insert,
        Update,
        Delete,

        // A row in the place of one that is deleted before.
        Replace,
    }

    /// <summary>Adds a row that the table does not have.</summary>
    public void Insert(long key, in TRow row) => Set(_rows, key, Change.Insert, row);

    /// <summary>Changes a row.</summary>
    public void Update(long key, in TRow row) => Set(_rows, key, Change.Update, row);

    /// <summary>Deletes a row, if the table has it.</summary>
    public void Delete(long key, in TRow row) => Set(_rows, key, Change.Delete, row);

    public void Mark()
    {
        (_rows, _beforeMark) = (_beforeMark, _rows);
        _isMarked = true;
    }

    public void Keep()
    {
        if (_beforeMark.Count == 0)
        {
            _isMarked = false;
            return;
        }

        foreach (var (key, (change, row)) in _rows)
        {
            Set(_beforeMark, key, change, row);
        }

        TakeBack();
    }

    public void TakeBack()
    {
        _rows.Clear();
        (_rows, _beforeMark) = (_beforeMark, _rows);
        _isMarked = false;
    }

    public void SendMarked(Outgoing outgoing) => Send(outgoing, _isMarked ? _beforeMark : _rows);

    public void SendRest(Outgoing outgoing) => Send(outgoing, _rows);

    public void Forget()
    {
        _rows.Clear();
        _beforeMark.Clear();
        _isMarked = false;
    }

    private void Set(Dictionary<long, (Change Change, TRow Row)> rows, long key, Change change, in TRow row)
    {
        if (!rows.TryGetValue(key, out var before))
        {
            rows.Add(key, (change, row));
            return;
        }

        switch (before.Change, change)
        {
            case (Change.Insert, Change.Delete):
                rows.Remove(key);
                break;
            case (Change.Insert or Change.Replace, Change.Update):
                rows[key] = (before.Change, over(before.Row, row));
                break;
            case (Change.Delete, Change.Insert):
                rows[key] = (Change.Replace, row);
                break;
            case (Change.Update, Change.Update):
                rows[key] = (Change.Update, over(before.Row, row));
                break;
            default:
                rows[key] = (change, row);
                break;
        }
    }

    /// <summary>Sends rows: first those that make room, last those that need it.</summary>
    private void Send(Outgoing outgoing, Dictionary<long, (Change Change, TRow Row)> rows)
    {
        if (rows.Count == 0)
        {
            return;
        }

        var before = delete?.Write(outgoing, Of(Change.Delete, Change.Replace)) ?? 0;
        before += update?.Write(outgoing, Of(Change.Update, Change.Update)) ?? 0;
        insert?.Write(outgoing, Of(Change.Insert, Change.Replace), before);
        rows.Clear();

        List<TRow> Of(Change one, Change other)
        {
            var some = new List<TRow>(rows.Count);
            foreach (var (change, row) in rows.Values)
            {
                if (change == one || change == other)
                {
                    some.Add(row);
                }
            }

            return some;
        }
    }
}
