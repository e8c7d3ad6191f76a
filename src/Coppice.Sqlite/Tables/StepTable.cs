using System.Text.Json;

namespace Coppice.Sqlite;

/// <summary>The writer's statements on steps and checkpoints.</summary>
internal sealed class StepTable(Connection connection) : IStepRows
{
    internal const string CountSql = "SELECT max(place) + 1 FROM steps INDEXED BY steps_by_place WHERE task = ?";

    private const int MaxCounts = 4096;

    private readonly Statement _count = connection.Prepare(CountSql);
    private readonly Statement _add = connection.Prepare(
        """
        INSERT INTO steps (task, place, name, key, after, is_fork, error, result) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (task, name, key) DO NOTHING
        """);

    private readonly Statement _remove = connection.Prepare("DELETE FROM steps WHERE task = ?");
    private readonly Statement _checkpoint = connection.Prepare("SELECT json FROM checkpoints WHERE n = ?");
    private readonly Statement _setCheckpoint = connection.Prepare("INSERT OR REPLACE INTO checkpoints (n, json) VALUES (?, ?)");
    private readonly Statement _removeCheckpoint = connection.Prepare("DELETE FROM checkpoints WHERE n = ?");

    // How many steps the tasks have that stored one lately.
    private readonly Dictionary<long, int> _counts = [];

    /// <summary>How many steps a task has. Their places have no gaps, so it is looked up and not counted.</summary>
    public int Count(long task) => _counts.TryGetValue(task, out var known) ? known : (int)(_count.Bind(task).Scalar() ?? 0);

    public bool TryAdd(long task, int place, TaskStep step)
    {
        var changes = connection.TotalChanges;
        _add.Bind(task).Bind(place).Bind(step.Name).Bind(step.Key).Bind(step.After).Bind(step.IsFork ? 1 : 0).Bind(step.Error)
            .Bind(step.Result?.GetRawText()).Run();
        if (connection.TotalChanges == changes)
        {
            return false;
        }

        if (_counts.Count >= MaxCounts)
        {
            _counts.Clear();
        }

        _counts[task] = place + 1;
        return true;
    }

    public JsonElement? Checkpoint(long task)
    {
        using var rows = _checkpoint.Bind(task).Rows();
        return rows.Next() ? TaskRow.ReadJson(rows.Text(0)) : null;
    }

    public void SetCheckpoint(long task, JsonElement? value)
    {
        if (value is { } some)
        {
            _setCheckpoint.Bind(task).Bind(some.GetRawText()).Run();
        }
        else
        {
            _removeCheckpoint.Bind(task).Run();
        }
    }

    /// <summary>Lets go of what is in memory, because the table has been set back.</summary>
    public void Forget() => _counts.Clear();

    /// <summary>Forgets what a task has stored.</summary>
    public void Remove(in WorkHead work)
    {
        if (work.HasSteps)
        {
            _remove.Bind(work.Number).Run();
            _counts.Remove(work.Number);
        }

        if (work.HasCheckpoint)
        {
            _removeCheckpoint.Bind(work.Number).Run();
        }
    }
}
