using Microsoft.Data.Sqlite;

namespace Coppice.Sqlite.Tests;

/// <summary>Which index SQLite goes by: what a list costs hangs on it.</summary>
public sealed class QueryPlanTests : IDisposable
{
    private static readonly TaskState[] Live = [TaskState.Running, TaskState.InputRequired];

    private static readonly string[] Large = ["tasks", "work", "lanes", "steps"];

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
        { new TaskQuery { Kind = "k", States = Live }, "tasks_live" },
        { new TaskQuery { Kind = "k" }, "tasks_by_kind (kind=?" },
        { new TaskQuery { OwnerThreadId = "t1", Kind = "k" }, "tasks_by_owner (owner=?" },
    };

    public static TheoryData<string, string[]> OfWork => new()
    {
        { LaneTable.ByPrioritySql, ["lanes USING INDEX lanes_by_priority (kind=?)"] },
        { LaneTable.ByTurnSql, ["lanes USING INDEX lanes_by_priority (kind=? AND priority=?)", "lanes USING INDEX lanes_by_turn (kind=?)"] },
        { WorkTable.FirstSql, ["work USING COVERING INDEX work_ready (lane=? AND version>?"] },
        { WorkTable.ReadySql, ["work USING COVERING INDEX work_ready (lane=? AND version=?"] },
        { WorkTable.LongestSql, ["work USING COVERING INDEX work_ready (lane=? AND version=? AND priority=?", "work USING INDEX work_ready_by_rank (lane=? AND version=?"] },
        { WorkTable.DueSql, ["work USING COVERING INDEX work_due (due_ms<?)"] },
        { WorkTable.ExpiredSql, ["work USING COVERING INDEX work_that_expires (expires_ms<?)"] },
        { WorkTable.NextDueSql, ["work USING COVERING INDEX work_due (due_ms>?)"] },
        { WorkTable.NextExpirySql, ["work USING COVERING INDEX work_that_expires (expires_ms>?)"] },
        { WorkTable.ByKeySql, ["work USING COVERING INDEX work_by_key (owner=? AND key=?)"] },
        { TaskTable.HolderSql, ["tasks USING INDEX tasks_held (host_epoch>?)"] },
        { TaskTable.HeldSql, ["tasks USING INDEX tasks_held (host_epoch=?)"] },
        { TaskTable.WaitingAgentSql, ["tasks USING INDEX tasks_waiting_agents (agent_thread=?)"] },
        { StoreReader.ThreadsThatWakeSql, ["tasks USING INDEX tasks_waiting_agents (agent_thread=?)"] },
        { StoreReader.StepsSql, ["steps USING INDEX steps_by_place (task=? AND place>?)"] },
        { StepTable.CountSql, ["steps USING COVERING INDEX steps_by_place (task=?)"] },
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

    [Theory]
    [MemberData(nameof(OfWork), DisableDiscoveryEnumeration = true)]
    public void Work_is_looked_up_where_it_stands_in_line(string sql, string[] looksUp)
    {
        var plan = Plan(sql);

        Assert.All(looksUp, expected => Assert.Contains(plan, step => step.StartsWith("SEARCH " + expected, StringComparison.Ordinal)));
        Assert.DoesNotContain(plan, static step => Large.Any(table => step.StartsWith("SCAN " + table, StringComparison.Ordinal)));
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
