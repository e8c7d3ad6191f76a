using System.Globalization;
using Coppice.PostgreSql.Tests.Support;

namespace Coppice.PostgreSql.Tests.Reading;

/// <summary>Mail: who may read it, what counts as read, and what is asked about mailboxes from outside.</summary>
public sealed class MailReadTests
{
    private static readonly Guid Ours = new("11111111-1111-1111-1111-111111111111");
    private static readonly Guid Theirs = new("22222222-2222-2222-2222-222222222222");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Mail_is_read_by_the_reader_that_has_the_mailbox_and_nobody_else()
    {
        await using var store = await OpenedAsync("cmt");

        Assert.Equal([1L, 2, 3], await SequencesAsync(store, Ours, 0, 10));
        Assert.Equal(new MailPage(false, []), await store.Reader.ReadMailAsync("t1", Theirs, 0, 10, Stop) with { Items = [] });
        Assert.False((await store.Reader.ReadMailAsync("t1", Guid.Empty, 0, 10, Stop)).IsReader);
        Assert.False((await store.Reader.ReadMailAsync("T1", Ours, 0, 10, Stop)).IsReader);
        Assert.False((await store.Reader.ReadMailAsync("t1\0", Ours, 0, 10, Stop)).IsReader);

        await store.SqlAsync("UPDATE {schema}.threads SET reader = NULL");
        Assert.False((await store.Reader.ReadMailAsync("t1", Ours, 0, 10, Stop)).IsReader);
    }

    [Fact]
    public async Task An_event_reads_as_it_was_posted()
    {
        await using var store = await OpenedAsync("c");

        var item = Assert.Single((await store.Reader.ReadMailAsync("t1", Ours, 0, 10, Stop)).Items);

        var read = Assert.IsType<CustomTaskEvent>(item.Event);
        Assert.Equal(MailEventJson.Serialize(Event(1)), MailEventJson.Serialize(read));
    }

    [Fact]
    public async Task What_was_returned_counts_as_read_and_nothing_after_it()
    {
        await using var store = await OpenedAsync("ccmtcmm");

        Assert.Equal([1L, 2, 3, 4], await SequencesAsync(store, Ours, 0, 4));
        Assert.Equal("4: 1 0 2", await HeadAsync(store));
        Assert.Equal([1L, 2], await SequencesAsync(store, Ours, 0, 2));
        Assert.Equal("4: 1 0 2", await HeadAsync(store));
        Assert.Equal([4L, 5], await SequencesAsync(store, Ours, 3, 2));
        Assert.Equal("5: 0 0 2", await HeadAsync(store));
        Assert.Equal([6L, 7], await SequencesAsync(store, Ours, 5, 100));
        Assert.Equal("7: 0 0 0", await HeadAsync(store));
        Assert.Equal([], await SequencesAsync(store, Ours, 7, 100));
        Assert.Equal([], await SequencesAsync(store, Ours, long.MaxValue, 100));
        Assert.Equal("7: 0 0 0", await HeadAsync(store));
    }

    [Fact]
    public async Task Mail_that_was_passed_over_counts_as_read_too()
    {
        await using var store = await OpenedAsync("ccmtcmm");

        Assert.Equal([5L], await SequencesAsync(store, Ours, 4, 1));

        Assert.Equal("5: 0 0 2", await HeadAsync(store));
    }

    [Fact]
    public async Task Mail_that_is_gone_is_not_taken_off_twice()
    {
        await using var store = await OpenedAsync("ccmm");
        await store.SqlAsync("DELETE FROM {schema}.mail WHERE seq = 3");
        await store.SqlAsync("UPDATE {schema}.threads SET messages = messages - 1, unread_messages = unread_messages - 1");

        Assert.Equal([1L, 2, 4], await SequencesAsync(store, Ours, 0, 10));

        Assert.Equal("4: 0 0 0", await HeadAsync(store));
    }

    [Fact]
    public async Task An_empty_read_writes_nothing()
    {
        await using var store = await OpenedAsync("cc");
        await SequencesAsync(store, Ours, 0, 10);
        var before = await store.SqlAsync("SELECT xmin::text || ctid::text FROM {schema}.threads");

        await SequencesAsync(store, Ours, 2, 10);
        await SequencesAsync(store, Ours, 0, 10);

        Assert.Equal(before, await store.SqlAsync("SELECT xmin::text || ctid::text FROM {schema}.threads"));
    }

    [Fact]
    public async Task A_read_that_waits_for_the_threads_lock_counts_what_its_holder_leaves()
    {
        await using var store = await OpenedAsync("ccmmt");
        await using var writer = await store.Schema.DataSource.OpenConnectionAsync(Stop);
        await using var transaction = await writer.BeginTransactionAsync(Stop);
        await RunAsync("DELETE FROM {schema}.mail WHERE seq IN (2, 3)");
        await RunAsync("UPDATE {schema}.threads SET unread_customs = 1, unread_messages = 1");
        var reading = SequencesAsync(store, Ours, 0, 4);
        await WaitingForLockAsync(store);
        await transaction.CommitAsync(Stop);

        Assert.Equal([1L, 2, 3, 4], await reading);
        Assert.Equal("4: 0 1 0", await HeadAsync(store));

        async Task RunAsync(string sql)
        {
            await using var command = writer.CreateCommand();
            command.CommandText = sql.Replace("{schema}", store.Schema.Name, StringComparison.Ordinal);
            await command.ExecuteNonQueryAsync(Stop);
        }
    }

    [Fact]
    public async Task A_reader_whose_mailbox_is_taken_over_while_it_reads_gets_nothing_and_changes_nothing()
    {
        await using var store = await OpenedAsync("ccm");
        await using var writer = await store.Schema.DataSource.OpenConnectionAsync(Stop);
        await using var transaction = await writer.BeginTransactionAsync(Stop);
        await using var take = writer.CreateCommand();
        take.CommandText = $"UPDATE {store.Schema.Name}.threads SET reader = '{Theirs}'";
        await take.ExecuteNonQueryAsync(Stop);
        var reading = store.Reader.ReadMailAsync("t1", Ours, 0, 10, Stop).AsTask();
        await WaitingForLockAsync(store);
        await transaction.CommitAsync(Stop);

        var page = await reading;

        Assert.False(page.IsReader);
        Assert.Empty(page.Items);
        Assert.Equal("0: 2 0 1", await HeadAsync(store));
    }

    [Fact]
    public async Task Many_reads_of_one_reader_at_once_count_everything_once()
    {
        await using var store = await OpenedAsync(string.Concat(Enumerable.Repeat("cmtc", 25)));

        await Task.WhenAll(Enumerable.Range(1, 60).Select(i => store.Reader.ReadMailAsync("t1", Ours, 0, i * 3 % 101 + 1, Stop).AsTask()));
        await SequencesAsync(store, Ours, 0, 1_000);

        Assert.Equal("100: 0 0 0", await HeadAsync(store));
    }

    [Fact]
    public async Task That_mail_was_read_does_not_wait_for_the_disk_and_what_else_the_connection_does_would()
    {
        await using var store = await OpenedAsync("ccm");
        await store.SqlAsync("CREATE TABLE {schema}.seen (setting text)");
        await store.SqlAsync(
            """
            CREATE FUNCTION {schema}.see() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN INSERT INTO {schema}.seen VALUES (current_setting(''synchronous_commit'')); RETURN NEW; END'
            """);
        await store.SqlAsync("CREATE TRIGGER seen BEFORE UPDATE ON {schema}.threads FOR EACH ROW EXECUTE FUNCTION {schema}.see()");

        for (var i = 1; i <= 3; i++)
        {
            await SequencesAsync(store, Ours, 0, i);
        }

        Assert.Equal("off,off,off", await store.SqlAsync("SELECT string_agg(setting, ',') FROM {schema}.seen"));
        await using var connection = await store.Database.OpenReaderAsync(Stop);
        await using var command = store.Database.CreateCommand(connection, "SELECT current_setting('synchronous_commit')", []);
        Assert.Equal("on", await command.ExecuteScalarAsync(Stop));
    }

    [Fact]
    public async Task Mail_whose_reading_cannot_be_noted_down_is_not_returned()
    {
        await using var store = await OpenedAsync("c");
        await store.SqlAsync("ALTER TABLE {schema}.threads ADD CHECK (read_through = 0)");

        var fault = await Assert.ThrowsAsync<TaskStoreException>(async () => await store.Reader.ReadMailAsync("t1", Ours, 0, 10, Stop));

        Assert.Contains("23514", fault.Message, StringComparison.Ordinal);
        Assert.Equal("0: 1 0 0", await HeadAsync(store));
    }

    [Fact]
    public async Task Unread_events_are_those_not_read_of_an_open_mailbox_and_those_not_acknowledged_of_a_closed_one()
    {
        await using var store = await OpenedAsync("cccm");
        await SequencesAsync(store, Ours, 0, 2);
        Assert.Equal(1, await store.Reader.CountUnreadEventsAsync("t1", Stop));
        Assert.Equal(4, await store.Reader.MailDepthAsync(Stop));

        await store.SqlAsync("UPDATE {schema}.threads SET reader = NULL");

        Assert.Equal(3, await store.Reader.CountUnreadEventsAsync("t1", Stop));
        Assert.Equal(0, await store.Reader.CountUnreadEventsAsync("t2", Stop));
        Assert.Equal(0, await store.Reader.CountUnreadEventsAsync("\uD83D", Stop));
    }

    [Fact]
    public async Task Threads_with_unread_mail_are_those_that_nobody_reads_and_no_agent_will()
    {
        await using var store = await ReadFixture.CreateAsync();
        foreach (var thread in new[] { "closed", "open", "quiet", "waiting 😀", "running" })
        {
            await store.ThreadAsync(thread);
        }

        await store.SqlAsync("UPDATE {schema}.threads SET wakes = true WHERE owner_thread_id <> (SELECT owner_thread_id FROM {schema}.thread_ids WHERE id = 'quiet')");
        await store.SqlAsync("UPDATE {schema}.threads SET reader = $1 WHERE owner_thread_id = (SELECT owner_thread_id FROM {schema}.thread_ids WHERE id = 'open')", Ours);
        var work = new TaskWork { Kind = "agent", Input = TaskRow.ReadJson("1") };
        await store.AddAsync(new TaskSnapshot { TaskId = "bg_0", OwnerThreadId = "p", State = TaskState.Pending, AgentThreadId = "waiting 😀", Work = work });
        await store.AddAsync(new TaskSnapshot { TaskId = "bg_1", OwnerThreadId = "p", State = TaskState.Running, AgentThreadId = "running", Work = work });
        await store.AddAsync(new TaskSnapshot { TaskId = "bg_2", OwnerThreadId = "p", State = TaskState.Pending, AgentThreadId = "closed" });

        Assert.Equal(["closed", "running"], await store.Reader.ListThreadsWithUnreadMailAsync(Stop));

        await store.SqlAsync("UPDATE {schema}.branches SET ended = true");
        Assert.Equal(["closed", "waiting 😀", "running"], await store.Reader.ListThreadsWithUnreadMailAsync(Stop));
    }

    [Fact]
    public async Task Dead_letters_are_of_the_agents_thread_and_failed_messages_of_the_senders()
    {
        await using var store = await ReadFixture.CreateAsync();
        var (sender, agent, other) = (await store.ThreadAsync("sender"), await store.ThreadAsync("agent"), await store.ThreadAsync("other"));
        await FailAsync(sender, agent, 9, 2, "ended");
        await FailAsync(other, agent, 4, 2, "late");
        await FailAsync(sender, other, 3, 0, "expired");
        await FailAsync(sender, agent, 5, 1, "no route");

        Assert.Equal([(4L, "late"), (9, "ended")], (await store.Reader.ListDeadLettersAsync("agent", Stop)).Select(static letter => (letter.Sequence, letter.Reason)));
        Assert.Empty(await store.Reader.ListDeadLettersAsync("other", Stop));
        var failed = await store.Reader.ListFailedMessagesAsync("sender", Stop);
        Assert.Equal([("agent", "ended"), ("other", "expired"), ("agent", "no route")], failed.Select(static message => (message.ToThreadId, message.Reason)));
        Assert.Equal(failed.OrderBy(static message => message.Number), failed);
        Assert.Equal("sender", failed[0].From.ThreadId);
        Assert.Equal(7, failed[0].Attempts);
        Assert.Equal(ReadFixture.Noon, failed[0].FailedAt);
        Assert.Empty(await store.Reader.ListFailedMessagesAsync("agent", Stop));
        Assert.Empty(await store.Reader.ListFailedMessagesAsync("\0", Stop));

        Task FailAsync(long from, long to, long sequence, int box, string reason) => store.SqlAsync(
            "INSERT INTO {schema}.failed_messages (owner_thread_id, recipient, seq, failed_ms, attempts, box, json, reason) VALUES ($1, $2, $3, $4, 7, $5, $6, $7)",
            from, to, sequence, ReadFixture.Noon.ToUnixTimeMilliseconds(), (short)box, MailEventJson.Serialize(Event(1)), reason);
    }

    [Fact]
    public async Task The_next_expiry_is_the_earliest_of_what_expires_and_what_is_forgotten()
    {
        await using var store = await ReadFixture.CreateAsync();
        Assert.Null(await store.Reader.FindNextExpiryAsync(Stop));

        await AddAsync("a", null, ReadFixture.Noon.AddSeconds(5).ToUnixTimeMilliseconds());
        Assert.Equal(ReadFixture.Noon.AddSeconds(5), await store.Reader.FindNextExpiryAsync(Stop));
        await AddAsync("b", ReadFixture.Noon.AddSeconds(3).ToUnixTimeMilliseconds(), null);
        Assert.Equal(ReadFixture.Noon.AddSeconds(3), await store.Reader.FindNextExpiryAsync(Stop));
        await store.SqlAsync("DELETE FROM {schema}.message_ids");
        await AddAsync("c", long.MaxValue, null);
        Assert.Equal(DateTimeOffset.MaxValue.ToUnixTimeMilliseconds(), (await store.Reader.FindNextExpiryAsync(Stop))!.Value.ToUnixTimeMilliseconds());

        Task AddAsync(string id, long? expires, long? forget) => store.SqlAsync(
            "INSERT INTO {schema}.message_ids (owner_thread_id, place, keep_ms, expires_ms, forget_ms, box, id) VALUES (1, (SELECT count(*) FROM {schema}.message_ids), 1, $1::text::bigint, $2::text::bigint, 0, $3)",
            expires?.ToString(CultureInfo.InvariantCulture), forget?.ToString(CultureInfo.InvariantCulture), id);
    }

    [Fact]
    public async Task A_conversation_is_read_a_page_at_a_time_byte_for_byte()
    {
        await using var store = await ReadFixture.CreateAsync();
        var thread = await store.ThreadAsync("t1");
        await store.SqlAsync(
            "INSERT INTO {schema}.conversations SELECT $1, entry, '{ \"entry\" : ' || entry || '.0, \"e\":\"\\u00e9\" }' FROM generate_series(0, 9) AS entry", thread);
        await store.SqlAsync("UPDATE {schema}.threads SET entries = 10");

        var page = await store.Reader.ReadConversationAsync("t1", 3, 2, Stop);
        Assert.Equal(10, page.Count);
        Assert.Equal(["{ \"entry\" : 3.0, \"e\":\"\\u00e9\" }", "{ \"entry\" : 4.0, \"e\":\"\\u00e9\" }"], page.Entries.Select(static entry => entry.GetRawText()));
        Assert.Equal(10, (await store.Reader.ReadConversationAsync("t1", 0, 100, Stop)).Entries.Count);
        var end = await store.Reader.ReadConversationAsync("t1", 10, 100, Stop);
        Assert.Equal((10, 0), (end.Count, end.Entries.Count));
        Assert.Equal(0, (await store.Reader.ReadConversationAsync("nobody", 0, 100, Stop)).Count);
        Assert.Equal(0, (await store.Reader.ReadConversationAsync("t1\0", 0, 100, Stop)).Count);
    }

    [Fact]
    public async Task A_read_that_is_given_up_says_so_and_one_that_the_database_refuses_says_why()
    {
        await using var store = await OpenedAsync("c");
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await store.Reader.GetAsync("bg_0", new CancellationToken(canceled: true)));

        await using var blocker = await store.Schema.DataSource.OpenConnectionAsync(Stop);
        await using var transaction = await blocker.BeginTransactionAsync(Stop);
        await using var take = blocker.CreateCommand();
        take.CommandText = $"LOCK TABLE {store.Schema.Name}.tasks, {store.Schema.Name}.threads";
        await take.ExecuteNonQueryAsync(Stop);
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var reads = new[] { store.Reader.GetAsync("bg_0", giveUp.Token).AsTask(), (Task)store.Reader.ReadMailAsync("t1", Ours, 0, 10, giveUp.Token).AsTask() };
        await WaitingForLockAsync(store, 2);
        await giveUp.CancelAsync();
        foreach (var read in reads)
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read);
        }

        await transaction.RollbackAsync(Stop);
        await store.SqlAsync("DROP SCHEMA {schema} CASCADE");
        foreach (var read in new Func<Task>[]
        {
            async () => await store.Reader.GetAsync("bg_0", Stop),
            async () => await store.Reader.ListAsync(new TaskQuery(), null, 10, Stop),
            async () => await store.Reader.ReadMailAsync("t1", Ours, 0, 10, Stop),
            async () => await store.Reader.MailDepthAsync(Stop),
        })
        {
            Assert.Equal("store_not_found", (await Assert.ThrowsAsync<TaskStoreException>(read)).Code);
        }
    }

    /// <summary>A store with one thread, t1, whose mailbox we have open, and mail in it by class: c, t or m.</summary>
    private static async Task<ReadFixture> OpenedAsync(string mail)
    {
        var store = await ReadFixture.CreateAsync();
        var thread = await store.ThreadAsync("t1");
        var (customs, terminals, messages) = (mail.Count(static c => c == 'c'), mail.Count(static c => c == 't'), mail.Count(static c => c == 'm'));
        for (var i = 0; i < mail.Length; i++)
        {
            await store.SqlAsync(
                "INSERT INTO {schema}.mail (owner_thread_id, seq, class, json) VALUES ($1, $2, $3, $4)",
                thread, i + 1L, (short)"ctm".IndexOf(mail[i], StringComparison.Ordinal), MailEventJson.Serialize(Event(i + 1)));
        }

        await store.SqlAsync(
            """
            UPDATE {schema}.threads SET last_seq = $1, customs = $2, terminals = $3, messages = $4, wakes = true, reader = $5, reader_epoch = 1,
                unread_customs = $2, unread_terminals = $3, unread_messages = $4
            """,
            (long)mail.Length, customs, terminals, messages, Ours);
        return store;
    }

    private static CustomTaskEvent Event(int number) => new("bg_0", "progress", TaskRow.ReadJson($"[{number}]"));

    private static async Task<IEnumerable<long>> SequencesAsync(ReadFixture store, Guid reader, long after, int limit)
    {
        var page = await store.Reader.ReadMailAsync("t1", reader, after, limit, Stop);
        Assert.True(page.IsReader);
        return page.Items.Select(static item => item.Sequence);
    }

    private static async Task<string> HeadAsync(ReadFixture store) => (string)(await store.SqlAsync(
        "SELECT read_through || ': ' || unread_customs || ' ' || unread_terminals || ' ' || unread_messages FROM {schema}.threads"))!;

    /// <summary>Waits until statements on this store's tables wait for somebody's lock.</summary>
    private static async Task WaitingForLockAsync(ReadFixture store, long count = 1)
    {
        while ((long)(await store.SqlAsync(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%{schema}%' AND pid <> pg_backend_pid()"))! < count)
        {
            await Task.Yield();
        }
    }
}
