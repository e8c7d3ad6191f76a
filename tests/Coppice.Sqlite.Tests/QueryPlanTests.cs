using Microsoft.Data.Sqlite;

namespace Coppice.Sqlite.Tests;

/// <summary>Which index SQLite goes by: what a list costs hangs on it.</summary>
public sealed class QueryPlanTests : IDisposable
{
    private static readonly TaskState[] Live = [TaskState.Running, TaskState.InputRequired];

    private readonly TempFolder _folder = new();
    private readonly Connection _connection;

    public QueryPlanTests()
    {
        _connection = new Connection(_folder.Store, SqliteOpenMode.ReadWriteCreate, TimeSpan.FromSeconds(1));
        _connection.AddTextFunctions();
        Schema.Migrate(_connection, _folder.Store);
    }

    public void Dispose()
    {
        _connection.Dispose();
        _folder.Dispose();
    }

    public static TheoryData<TaskQuery, string> Queries => new()
    {
        { new TaskQuery { OwnerThreadId = "t1", States = Live }, "tasks_live (owner=?)" },
        { new TaskQuery { OwnerThreadId = "t1", States = Live, Name = "worker", Text = "x" }, "tasks_live (owner=? AND name=?)" },
        { new TaskQuery { OwnerThreadId = "t1", States = Live, ParentTaskId = "bg_1" }, "tasks_live (owner=?)" },
        { new TaskQuery { OwnerThreadId = "t1", States = Live, RunId = "r1" }, "tasks_live (owner=?)" },
        { new TaskQuery { States = Live }, "tasks_live" },
        { new TaskQuery { OwnerThreadId = "t1", States = [TaskState.Running, TaskState.Failed] }, "tasks_by_owner (owner=?" },
        { new TaskQuery { OwnerThreadId = "t1" }, "tasks_by_owner (owner=?" },
    };

    [Theory]
    [MemberData(nameof(Queries), DisableDiscoveryEnumeration = true)]
    public void A_list_of_live_tasks_goes_by_the_index_of_live_tasks(TaskQuery query, string index)
    {
        foreach (var after in new TaskCursor?[] { null, new TaskCursor(DateTimeOffset.UnixEpoch, "bg_7") })
        {
            var plan = Plan(new ListStatement(query, after, 10).Sql);

            Assert.Contains(plan, step => step.StartsWith("SEARCH t ", StringComparison.Ordinal) || step.StartsWith("SCAN t ", StringComparison.Ordinal));
            Assert.Contains(plan, step => step.Contains($"t USING INDEX {index}", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void The_live_agent_of_a_thread_is_looked_up() =>
        Assert.Contains(
            Plan("SELECT 1 FROM tasks INDEXED BY tasks_live_agents WHERE agent_thread = ? AND state < 3 LIMIT 1"),
            static step => step.Contains("tasks_live_agents (agent_thread=?)", StringComparison.Ordinal));

    [Fact]
    public void A_page_of_a_conversation_is_read_where_it_lies()
    {
        var plan = Plan(StoreReader.ConversationSql);

        Assert.Contains(plan, static step => step.StartsWith("SEARCH c USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)", StringComparison.Ordinal));
        Assert.DoesNotContain(plan, static step => step.StartsWith("SCAN", StringComparison.Ordinal) || step.Contains("B-TREE", StringComparison.Ordinal));
    }

    private List<string> Plan(string sql)
    {
        var steps = new List<string>();
        using var rows = _connection.Prepare("EXPLAIN QUERY PLAN " + sql).Rows();
        while (rows.Next())
        {
            steps.Add(rows.Text(3));
        }

        return steps;
    }
}
