using System.Text.Json;

namespace Coppice.PostgreSql;

/// <summary>The writer's statements on steps and checkpoints.</summary>
internal sealed class StepRows(WriterConnection connection, TaskOwners owners) : IStepRows
{
    private static readonly JsonDocumentOptions Deep = new() { MaxDepth = 256 };

    private readonly Statement _find = connection.Prepare(
        """
        SELECT 1 FROM {schema}.steps WHERE owner_thread_id = $1 AND n = $2
            AND hashtextextended(key, hashtextextended(name, 0)) = hashtextextended($4, hashtextextended($3, 0)) AND name = $3 AND key = $4
        """);

    // Their places have no gaps, so it is looked up and not counted.
    private readonly Statement _count = connection.Prepare("SELECT max(place)::bigint + 1 FROM {schema}.steps WHERE owner_thread_id = $1 AND n = $2");
    private readonly Statement _add = connection.Prepare(
        """
        INSERT INTO {schema}.steps (owner_thread_id, n, place, name, key, after, is_fork, error, result)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        """);

    private readonly Statement _remove = connection.Prepare("DELETE FROM {schema}.steps WHERE owner_thread_id = $1 AND n = $2");
    private readonly Statement _checkpoint = connection.Prepare("SELECT json FROM {schema}.checkpoints WHERE owner_thread_id = $1 AND n = $2");
    private readonly Statement _setCheckpoint = connection.Prepare(
        """
        INSERT INTO {schema}.checkpoints (owner_thread_id, n, json) VALUES ($1, $2, $3)
        ON CONFLICT (owner_thread_id, n) DO UPDATE SET json = excluded.json
        """);

    private readonly Statement _removeCheckpoint = connection.Prepare("DELETE FROM {schema}.checkpoints WHERE owner_thread_id = $1 AND n = $2");

    public bool Contains(long task, TaskStep step) => On(task, _find).Bind(step.Name).Bind(step.Key).Scalar() is not null;

    public int Count(long task) => (int)(On(task, _count).Scalar() ?? 0);

    public bool TryAdd(long task, int place, TaskStep step)
    {
        if (Contains(task, step))
        {
            return false;
        }

        var result = step.Result?.GetRawText();
        On(task, _add).Bind(place).Bind(step.Name).Bind(step.Key).Bind(step.After).Bind(step.IsFork).Bind(step.Error).Bind(result).Note();
        return true;
    }

    public JsonElement? Checkpoint(long task)
    {
        using var rows = On(task, _checkpoint).Rows();
        return rows.Next() ? Read(rows.Text(0)) : null;
    }

    public void SetCheckpoint(long task, JsonElement? value)
    {
        if (value?.GetRawText() is { } json)
        {
            On(task, _setCheckpoint).Bind(json).Note();
        }
        else
        {
            On(task, _removeCheckpoint).Note();
        }
    }

    public void Remove(in WorkHead work)
    {
        if (work.HasSteps)
        {
            On(work.Number, _remove).Note();
        }

        if (work.HasCheckpoint)
        {
            On(work.Number, _removeCheckpoint).Note();
        }
    }

    private static JsonElement Read(string json)
    {
        using var document = JsonDocument.Parse(json, Deep);
        return document.RootElement.Clone();
    }

    /// <summary>Binds a statement to a task.</summary>
    private Statement On(long task, Statement statement)
    {
        var owner = owners.Of(task) ?? throw new InvalidOperationException($"There is no task {task}.");
        connection.Lock(owner);
        return statement.Bind(owner).Bind(task);
    }
}
