using System.Globalization;
using System.Text;
using Npgsql;

namespace Coppice.PostgreSql;

/// <summary>The SQL of a list: one text for each combination of filters, and its values in order.</summary>
/// <remarks>The page is cut before anything is looked up for its tasks, so that a list costs what it returns.</remarks>
internal sealed class ListQuery
{
    private const string ForeignId = $$"""(SELECT id FROM {schema}.foreign_ids WHERE n = t.n)""";
    private const string IsForeign = $"t.n >= {TaskRow.FirstForeignSql}";
    private const string ForeignKey = $$"""(SELECT {{StoredText.SortKeySql}} FROM {schema}.foreign_ids WHERE n = t.n)""";

    private readonly StringBuilder _where = new();
    private readonly List<NpgsqlParameter> _values = [];
    private readonly bool _fromBranches;

    public ListQuery(TaskQuery query, TaskCursor? after, int limit)
    {
        CanMatch = query.States is not { Count: 0 } && StoredTexts(query).All(StoredText.CanHold);
        if (!CanMatch)
        {
            Sql = "";
            return;
        }

        _fromBranches = IsFromBranches(query);
        AddFilters(query);
        if (after is { } cursor)
        {
            AddCursor(cursor);
        }

        Sql =
            $$"""
            SELECT {{TaskRow.Columns}} FROM (
                SELECT t.*, least(t.n, {{TaskRow.FirstForeignSql}}) AS rank, CASE WHEN {{IsForeign}} THEN {{ForeignKey}} END COLLATE "C" AS sort_key
                FROM {{Source}}
                WHERE {{(_fromBranches ? "NOT b.ended" : "true")}}{{_where}}
                ORDER BY t.created_ms, rank, sort_key
                LIMIT {{Value(Parameter.Of(limit))}}) t
            {{TaskRow.Joins}}
            ORDER BY t.created_ms, t.rank, t.sort_key
            """;
    }

    /// <summary>Gets whether a stored task can be among those asked for; if not, there is no SQL.</summary>
    public bool CanMatch { get; }

    public string Sql { get; }

    public IReadOnlyList<NpgsqlParameter> Values => _values;

    // OFFSET keeps the planner from going through all tasks by time until it has found as many live ones as are asked for.
    private string Source => _fromBranches
        ? "{schema}.branches b CROSS JOIN LATERAL (SELECT * FROM {schema}.tasks WHERE owner_thread_id = b.owner_thread_id AND n = b.n OFFSET 0) t"
        : "{schema}.tasks t";

    private static bool IsFromBranches(TaskQuery query) =>
        query.States is { } states && states.All(static state => !state.IsTerminal())
        && (query.OwnerThreadId is not null || query.ParentTaskId is not null || query.RunId is null);

    private static string?[] StoredTexts(TaskQuery query) =>
        [query.OwnerThreadId, query.ParentTaskId, query.RunId, query.Type, query.Kind, query.Name, query.Text];

    private static long CeilingMilliseconds(DateTimeOffset time) =>
        time.ToUnixTimeMilliseconds() + (time.UtcTicks % TimeSpan.TicksPerMillisecond == 0 ? 0 : 1);

    private void AddFilters(TaskQuery query)
    {
        if (query.OwnerThreadId is { } thread)
        {
            AddKey("owner_thread_id", $$"""(SELECT owner_thread_id FROM {schema}.thread_ids WHERE {{IsKey("id", Value(Parameter.Of(thread)))}})""");
        }

        if (query.ParentTaskId is { } parent)
        {
            AddKey("parent", TaskIds.TryParse(parent, out var number)
                ? Value(Parameter.Of(number))
                : $$"""(SELECT n FROM {schema}.foreign_ids WHERE {{IsKey("id", Value(Parameter.Of(parent)))}})""");
        }

        if (query.Kind is { } kind)
        {
            AddKey("kind", $$"""(SELECT n FROM {schema}.kinds WHERE {{IsKey("name", Value(Parameter.Of(kind)))}})""");
        }

        if (query.States is { } states)
        {
            Add($"t.state = ANY ({Value(Parameter.Of([.. states.Select(static state => (int)state).Distinct()]))})");
        }

        if (query.RunId is { } run)
        {
            AddRun(run);
        }

        AddText("t.type", query.Type);
        AddText("t.name", query.Name);
        AddTime(">=", query.CreatedFrom);
        AddTime("<", query.CreatedBefore);
        AddSearch(query.Text);
    }

    // What is live is narrowed down where it is found, but for the run, which branches have of roots only.
    // Said twice, the second time in a way that there are no statistics of, it makes the planner expect few rows, and go by the index of the column;
    // it might go by time else, and where all that matches is at the end, through everything.
    private void AddKey(string column, string value) =>
        Add(_fromBranches ? $"b.{column} = {value}" : $"t.{column} = {value} AND t.{column} + 0 = {value}");

    private void AddRun(string run)
    {
        var value = Value(Parameter.Of(run));
        Add(_fromBranches ? $"t.run_id = {value}" : $"hashtextextended(t.run_id, 0) = hashtextextended({value}, 0) AND t.run_id || '' = {value}");
    }

    /// <summary>What finds an id, or a name, by the index of its key.</summary>
    private static string IsKey(string column, string value) => $$"""{schema}.index_key({{column}}) = {schema}.index_key({{value}})""";

    private void AddText(string column, string? value)
    {
        if (value is not null)
        {
            Add($"{column} = {Value(Parameter.Of(value))}");
        }
    }

    private void AddTime(string comparison, DateTimeOffset? value)
    {
        if (value is { } time)
        {
            Add($"t.created_ms {comparison} {Value(Parameter.Of(CeilingMilliseconds(time)))}");
        }
    }

    private void AddSearch(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return;
        }

        var fold = new TextFold(text);
        var (part, from, to) = (Value(Parameter.Of(fold.Part)), Value(Parameter.Of(fold.From)), Value(Parameter.Of(fold.To)));
        var places = new[] { $"CASE WHEN {IsForeign} THEN {ForeignId} ELSE '{TaskIds.Prefix}' || t.n END", "t.name", "t.description", "t.error" }
            .Select(place => $"strpos(translate({place}, {from}, {to}) COLLATE \"C\", {part}) > 0");
        Add($"({string.Join(" OR ", places)})");
    }

    private void AddCursor(TaskCursor cursor)
    {
        var time = Value(Parameter.Of(cursor.CreatedAt.ToUnixTimeMilliseconds()));
        if (cursor.CreatedAt.UtcTicks % TimeSpan.TicksPerMillisecond != 0)
        {
            Add($"t.created_ms > {time}");
        }
        else if (TaskIds.TryParse(cursor.TaskId, out var number))
        {
            Add($"(t.created_ms, t.n) > ({time}, {Value(Parameter.Of(number))})");
        }
        else
        {
            var key = Value(Parameter.Of(StoredText.SortKey(cursor.TaskId)));
            Add($"t.created_ms >= {time} AND (t.created_ms > {time} OR ({IsForeign} AND {ForeignKey} > {key} COLLATE \"C\"))");
        }
    }

    private void Add(string condition) => _where.Append(" AND ").Append(condition);

    private string Value(NpgsqlParameter value)
    {
        _values.Add(value);
        return string.Create(CultureInfo.InvariantCulture, $"${_values.Count}");
    }
}
