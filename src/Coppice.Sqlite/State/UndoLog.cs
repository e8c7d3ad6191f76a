namespace Coppice.Sqlite;

/// <summary>How to take back what a transaction changed in memory.</summary>
internal sealed class UndoLog
{
    private readonly List<Action> _steps = [];

    public int Mark => _steps.Count;

    public void Add(Action undo) => _steps.Add(undo);

    public void UndoTo(int mark)
    {
        while (_steps.Count > mark)
        {
            var step = _steps[^1];
            _steps.RemoveAt(_steps.Count - 1);
            step();
        }
    }

    public void Clear() => _steps.Clear();
}
