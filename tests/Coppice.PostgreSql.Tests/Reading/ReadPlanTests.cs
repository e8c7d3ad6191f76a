using System.Globalization;
using Coppice.PostgreSql.Tests.Support;
using Npgsql;

namespace Coppice.PostgreSql.Tests.Reading;

/// <summary>
/// Every read goes by the index that is meant for it, whether the server plans it anew or keeps a plan, with statistics and without; so what it costs
/// is what it returns, however much is stored.
/// </summary>
public sealed class ReadPlanTests
{
    private static readonly TaskState[] Live = [TaskState.Pending, TaskState.Running, TaskState.InputRequired];

    private static readonly (TaskQuery Query, string Index)[] Lists =
    [
        (new(), "tasks_by_time"),
        (new() { Text = "page" }, "tasks_by_time"),
        (new() { States = [TaskState.Failed] }, "tasks_by_time"),
        (new() { Type = "task", Name = "n1" }, "tasks_by_time"),
        (new() { CreatedFrom = DateTimeOffset.UnixEpoch, CreatedBefore = DateTimeOffset.UnixEpoch.AddMilliseconds(1_000_100) }, "tasks_by_time"),
        (new() { OwnerThreadId = "t1" }, "tasks_by_owner"),
        (new() { OwnerThreadId = "t7" }, "tasks_by_owner"),
        (new() { OwnerThreadId = "t1", Text = "page" }, "tasks_by_owner"),
        (new() { OwnerThreadId = "t1", States = [TaskState.Running, TaskState.Failed] }, "tasks_by_owner"),
        (new() { ParentTaskId = "bg_7" }, "tasks_by_parent"),
        (new() { ParentTaskId = "elsewhere" }, "tasks_by_parent"),
        (new() { RunId = "r7" }, "tasks_by_run"),
        (new() { RunId = "r7", States = Live }, "tasks_by_run"),
        (new() { Kind = "k1" }, "tasks_by_kind"),
        (new() { OwnerThreadId = "t1", States = Live }, "branches_pkey"),
        (new() { ParentTaskId = "bg_7", States = Live }, "branches_by_parent"),
        (new() { States = Live }, "tasks_pkey"),
        (new() { Kind = "k1", States = Live }, "tasks_pkey"),
    ];

    private static readonly TaskCursor?[] Cursors =
        [null, new(DateTimeOffset.UnixEpoch.AddMilliseconds(1_000_050), "bg_150"), new(DateTimeOffset.UnixEpoch.AddMilliseconds(1_000_050), "elsewhere")];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0, false)]
    [InlineData(10_000, false)]
    [InlineData(10_000, true)]
    public async Task Lists_go_by_the_index_that_is_meant_for_them(int tasks, bool analyze)
    {
        await using var store = await ReadFixture.CreateAsync();
        await ReadVolume.FillAsync(store, tasks, analyze);
        await using var connection = await OpenAsync(store);
        foreach (var (query, index) in Lists)
        {
            foreach (var cursor in Cursors)
            {
                var list = new ListQuery(query, cursor, 100);
                foreach (var plan in await PlansAsync(store, connection, list.Sql, list.Values))
                {
                    Assert.True(plan.Contains($" using {index}", StringComparison.Ordinal), $"{query} after {cursor} should go by {index}:\n{plan}");
                    Assert.DoesNotContain("Seq Scan", plan.Replace("Seq Scan on branches", "", StringComparison.Ordinal), StringComparison.Ordinal);
                    Assert.DoesNotContain("Bitmap", plan, StringComparison.Ordinal);
                    Assert.DoesNotContain("Hash", plan, StringComparison.Ordinal);
                    if (index.StartsWith("tasks_by", StringComparison.Ordinal))
                    {
                        Assert.True(SortsOnlyWithinAMoment(plan), $"{query} after {cursor} sorts more than the tasks of one moment:\n{plan}");
                    }
                }
            }
        }
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(10_000, true)]
    public async Task Other_reads_go_by_an_index_too(int tasks, bool analyze)
    {
        await using var store = await ReadFixture.CreateAsync();
        await ReadVolume.FillAsync(store, tasks, analyze);
        await using var connection = await OpenAsync(store);
        NpgsqlParameter[] task = [Parameter.Of(7), Parameter.Of("bg_7")];
        NpgsqlParameter[] page = [Parameter.Of(0), Parameter.Of(10)];
        NpgsqlParameter[] thread = [Parameter.Of("t1")];
        foreach (var (sql, values, index) in new (string, NpgsqlParameter[], string)[]
        {
            (StoreReader.GetSql, task, "tasks_pkey"),
            (StoreReader.HasLiveSql, thread, "branches_pkey"),
            (StoreReader.ChildOfTaskSql, [.. task, .. task], "branches_by_parent"),
            (StoreReader.ChildOfRunSql, [.. task, Parameter.Of("r1")], "branches_by_run"),
            (StoreReader.ConversationSql, [.. thread, .. page], "conversations_pkey"),
            (StoreReader.StepsSql, [.. task, .. page], "steps_pkey"),
            (StoreReader.UnreadEventsSql, thread, "threads_pkey"),
            (StoreReader.ThreadsThatWakeSql, [], "threads_that_wake"),
            (StoreReader.DeadLettersSql, thread, "dead_letters_by_place"),
            (StoreReader.FailedMessagesSql, thread, "failed_messages_pkey"),
            (StoreReader.NextExpirySql, [], "message_ids_that_expire"),
            (MailboxRead.PageSql, [.. thread, Parameter.Of(Guid.Empty), .. page], "mail_pkey"),
        })
        {
            foreach (var plan in await PlansAsync(store, connection, sql, values))
            {
                Assert.True(plan.Contains($" using {index}", StringComparison.Ordinal), $"{sql}\nshould go by {index}:\n{plan}");
                Assert.DoesNotContain("Seq Scan", plan, StringComparison.Ordinal);
                Assert.DoesNotContain("Hash", plan, StringComparison.Ordinal);
            }
        }
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(10_000, true)]
    public async Task What_a_process_looks_for_because_it_may_not_have_heard_of_it_goes_by_an_index_and_through_nothing_else(int tasks, bool analyze)
    {
        await using var store = await ReadFixture.CreateAsync();
        await ReadVolume.FillAsync(store, tasks, analyze);
        await using var connection = await OpenAsync(store);
        NpgsqlParameter[] some = [Parameter.Of([1L, 2L])];
        foreach (var (sql, values, index) in new (string, NpgsqlParameter[], string)[]
        {
            (NewsQueries.TasksSql, some, "tasks_pkey"),
            (NewsQueries.EmittedSql, [.. some, .. some], "mail_pkey"),
            (NewsQueries.ClosedSql, some, "hosts_pkey"),
            (NewsQueries.CancelledSql, some, "branches_by_host"),
            (NewsQueries.UnreadSql, some, "threads_by_reader"),
            (NewsQueries.TakenOverSql, [.. some, Parameter.Of([Guid.Empty]), Parameter.Of(1)], "threads_pkey"),
            (NewsQueries.WorkSql, [], "lanes_by"),
        })
        {
            foreach (var plan in await PlansAsync(store, connection, sql, values))
            {
                Assert.True(plan.Contains($" using {index}", StringComparison.Ordinal), $"{sql}\nshould go by {index}:\n{plan}");

                // All kinds are asked for.
                var others = plan.Replace("Seq Scan on kinds k", "", StringComparison.Ordinal);
                Assert.All(["Seq Scan", "Hash", "Merge", "Join Filter"], word => Assert.DoesNotContain(word, others, StringComparison.Ordinal));
            }
        }
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(10_000, true)]
    public async Task What_is_looked_up_by_an_id_goes_by_the_index_of_its_key(int tasks, bool analyze)
    {
        await using var store = await ReadFixture.CreateAsync();
        await ReadVolume.FillAsync(store, tasks, analyze);
        await using var connection = await OpenAsync(store);
        NpgsqlParameter[] id = [Parameter.Of("t7")];
        NpgsqlParameter[] task = [Parameter.Of((long?)null), Parameter.Of("elsewhere")];
        var ids = new NpgsqlParameter { Value = new[] { "t7", "t8" } };
        foreach (var (sql, values, index) in new (string, NpgsqlParameter[], string)[]
        {
            (ThreadRows.FindSql, id, "thread_ids_by_id"),
            (ThreadRows.FindAllSql.Replace("unnest($1)", "unnest($1::text[])", StringComparison.Ordinal), [ids], "thread_ids_by_id"),
            (ThreadRows.AddSql.Replace("unnest($1)", "unnest($1::text[])", StringComparison.Ordinal), [ids], "thread_ids_by_id"),
            (StoreReader.HasLiveSql, id, "thread_ids_by_id"),
            (MailboxRead.PageSql, [.. id, Parameter.Of(Guid.Empty), Parameter.Of(0), Parameter.Of(10)], "thread_ids_by_id"),
            (IdRows.FindSql, id, "foreign_ids_by_id"),
            (StoreReader.GetSql, task, "foreign_ids_by_id"),
            (KindRows.FindSql, id, "kinds_by_name"),
            (TaskQuestions.KindsSql.Replace("($1, $2)", "($1::bigint[], $2::text[])", StringComparison.Ordinal), [Parameter.Of([1L, 2L]), ids], "kinds_by_name"),
            (BranchRows.RootsSql, id, "branches_by_run"),
            (MessageIdRows.FindSql, [Parameter.Of(1), .. id, Parameter.Of(1)], "message_ids_by_id"),
            (MessageIdRows.EndSql, [Parameter.Of(1), .. id, Parameter.Of(1), Parameter.Of(0)], "message_ids_by_id"),
        })
        {
            foreach (var plan in await PlansAsync(store, connection, sql, values))
            {
                Assert.True(plan.Contains($" using {index}", StringComparison.Ordinal), $"{sql}\nshould go by {index}:\n{plan}");

                // As long as there are few kinds, they may be read whole for the join.
                var words = index == "kinds_by_name" ? ["Seq Scan", "Bitmap"] : new[] { "Seq Scan", "Bitmap", "Hash", "Merge", "Join Filter" };
                Assert.All(words, word => Assert.DoesNotContain(word, plan, StringComparison.Ordinal));
            }
        }
    }

    private static bool SortsOnlyWithinAMoment(string plan)
    {
        var lines = plan.Split('\n');
        return !lines.Any(static line => line.Trim().TrimStart('-', '>', ' ') is "Sort");
    }

    /// <summary>A connection that plans as those of the store do.</summary>
    private static async Task<NpgsqlConnection> OpenAsync(ReadFixture store)
    {
        var connection = await store.Schema.DataSource.OpenConnectionAsync(Stop);
        await RunAsync(connection, Database.PlannerSettings);
        return connection;
    }

    /// <summary>The plan that is made for the values, and the one that is kept for all.</summary>
    private static async Task<string[]> PlansAsync(ReadFixture store, NpgsqlConnection connection, string sql, IReadOnlyList<NpgsqlParameter> values)
    {
        sql = sql.Replace("{schema}", store.Schema.Name, StringComparison.Ordinal);
        var given = string.Join(", ", values.Select(static value => value.Value switch
        {
            DBNull => "NULL",
            long number => number.ToString(CultureInfo.InvariantCulture),
            long[] numbers => $"'{{{string.Join(',', numbers)}}}'",
            Guid[] ids => $"'{{{string.Join(',', ids)}}}'",
            string[] texts => $"'{{{string.Join(',', texts)}}}'",
            int[] numbers => $"ARRAY[{string.Join(',', numbers)}]::smallint[]",
            var other => $"'{other}'",
        }));
        await RunAsync(connection, $"PREPARE p AS {sql}");
        var plans = new List<string>();
        foreach (var mode in new[] { "force_custom_plan", "force_generic_plan" })
        {
            await RunAsync(connection, $"SET plan_cache_mode = {mode}");
            await using var explain = new NpgsqlCommand($"EXPLAIN (COSTS OFF) EXECUTE p{(values.Count > 0 ? $"({given})" : "")}", connection);
            await using var rows = await explain.ExecuteReaderAsync(Stop);
            var lines = new List<string>();
            while (await rows.ReadAsync(Stop))
            {
                lines.Add(rows.GetString(0));
            }

            plans.Add($"{mode}:\n{string.Join('\n', lines)}");
        }

        await RunAsync(connection, "DEALLOCATE p");
        return [.. plans];
    }

    private static async Task RunAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Stop);
    }
}
