using System.Globalization;
using System.Text;

namespace Coppice.Sqlite;

/// <summary>The SQL of a list: one text for each combination of filters, and its values in order.</summary>
internal sealed class ListStatement
{
    private const string ForeignId = "(SELECT id FROM foreign_ids WHERE n = t.n)";

    private readonly StringBuilder _where = new();
    private readonly List<Action<Statement>> _values = [];

    public ListStatement(TaskQuery query, TaskCursor? after, int limit)
    {
        AddFilters(query);
        if (after is { } cursor)
        {
            AddCursor(cursor);
        }

        _values.Add(statement => statement.Bind(limit));
        Sql = string.Create(CultureInfo.InvariantCulture,
            $"""
            SELECT {TaskRow.Columns} FROM tasks t INDEXED BY {IndexFor(query)} {TaskRow.Joins} WHERE 1{_where}
            ORDER BY t.created_ms, min(t.n, {Schema.FirstForeign}), CASE WHEN t.n >= {Schema.FirstForeign} THEN {ForeignId} END COLLATE ordinal
            LIMIT ?
            """);
    }

    public string Sql { get; }

    public void BindTo(Statement statement)
    {
        foreach (var value in _values)
        {
            value(statement);
        }
    }

    // Named, because without statistics SQLite would have to guess which filter leaves least.
    private static string IndexFor(TaskQuery query) =>
        query.OwnerThreadId is not null && AsksOnlyLive(query) ? "tasks_live"
        : query.ParentTaskId is not null ? "tasks_by_parent"
        : query.RunId is not null ? "tasks_by_run"
        : AsksOnlyLive(query) ? "tasks_live"
        : query.OwnerThreadId is not null ? "tasks_by_owner"
        : query.Kind is not null ? "tasks_by_kind"
        : "tasks_by_time";

    private static bool AsksOnlyLive(TaskQuery query) => query.States is { } states && states.All(state => !state.IsTerminal());

    private static long CeilingMilliseconds(DateTimeOffset time) =>
        time.ToUnixTimeMilliseconds() + (time.UtcTicks % TimeSpan.TicksPerMillisecond == 0 ? 0 : 1);

    private void AddFilters(TaskQuery query)
    {
        Text(" AND t.owner = (SELECT n FROM threads WHERE id = ?)", query.OwnerThreadId);
        AddParent(query.ParentTaskId);
        Text(" AND t.run_id = ?", query.RunId);
        AddStates(query);
        Text(" AND t.type = ?", query.Type);
        Text(" AND t.kind = (SELECT n FROM kinds WHERE name = ?)", query.Kind);
        Text(" AND t.name = ?", query.Name);
        Time(" AND t.created_ms >= ?", query.CreatedFrom);
        Time(" AND t.created_ms < ?", query.CreatedBefore);
        if (query.Text is { } text)
        {
            Text(string.Create(CultureInfo.InvariantCulture,
                $" AND (holds(CASE WHEN t.n >= {Schema.FirstForeign} THEN {ForeignId} ELSE '{TaskIds.Prefix}' || t.n END, ?)"), text);
            Text(" OR holds(t.name, ?)", text);
            Text(" OR holds(t.description, ?)", text);
            Text(" OR holds(t.error, ?))", text);
        }
    }

    private void AddParent(string? parentId)
    {
        if (parentId is not null && TaskIds.TryParse(parentId, out var number))
        {
            _where.Append(" AND t.parent = ?");
            _values.Add(statement => statement.Bind(number));
            return;
        }

        Text(" AND t.parent = (SELECT n FROM foreign_ids WHERE id = ?)", parentId);
    }

    private void AddStates(TaskQuery query)
    {
        if (query.States is { } states)
        {
            _where.Append(" AND t.state IN (").AppendJoin(',', states.Select(state => (int)state).Distinct().Order()).Append(')');
            if (AsksOnlyLive(query))
            {
                _where.Append(" AND t.state < 3");
            }
        }
    }

    private void AddCursor(TaskCursor cursor)
    {
        var isCounted = TaskIds.TryParse(cursor.TaskId, out var number);
        var isWhole = cursor.CreatedAt.UtcTicks % TimeSpan.TicksPerMillisecond == 0;
        var rank = !isWhole ? long.MaxValue : isCounted ? number : Schema.FirstForeign;
        var milliseconds = cursor.CreatedAt.ToUnixTimeMilliseconds();
        _where.Append(CultureInfo.InvariantCulture, $" AND t.created_ms >= ? AND (t.created_ms > ? OR min(t.n, {Schema.FirstForeign}) > ?");
        _where.Append(CultureInfo.InvariantCulture, $" OR (t.n >= {Schema.FirstForeign} AND ? = {Schema.FirstForeign} AND {ForeignId} > ? COLLATE ordinal))");
        _values.Add(statement => statement.Bind(milliseconds).Bind(milliseconds).Bind(rank).Bind(rank).Bind(cursor.TaskId));
    }

    private void Text(string condition, string? value)
    {
        if (value is not null)
        {
            _where.Append(condition);
            _values.Add(statement => statement.Bind(value));
        }
    }

    private void Time(string condition, DateTimeOffset? value)
    {
        if (value is { } time)
        {
            _where.Append(condition);
            _values.Add(statement => statement.Bind(CeilingMilliseconds(time)));
        }
    }
}
