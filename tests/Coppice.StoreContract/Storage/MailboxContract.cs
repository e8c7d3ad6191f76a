using System.Text.Json;

namespace Coppice.StoreContract;

/// <summary>Law 8 in the store: mailboxes, their readers, sequences and acknowledgements.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class MailboxContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    [Fact]
    public async Task A_reader_that_was_taken_over_is_shown_nothing_that_came_after()
    {
        var host = await JoinAsync();
        for (var round = 0; round < 300; round++)
        {
            var thread = $"t{round}";
            var (first, second) = (Guid.NewGuid(), Guid.NewGuid());
            await host.AnswerAsync(new OpenMailbox(thread, first));
            await host.AnswerAsync(new PostMessage(thread, Mailbag.Message("early")));
            var reading = Task.Run(async () =>
            {
                var seen = 0L;
                while (await Store.ReadMailAsync(thread, first, 0, 100, Stop) is { IsReader: true } page)
                {
                    seen = Math.Max(seen, page.Items[^1].Sequence);
                }

                return seen;
            });
            await host.AnswerAsync(new OpenMailbox(thread, second));
            await host.AnswerAsync(new PostMessage(thread, Mailbag.Message("late")));

            Assert.True(await reading.Within() <= 1, $"In round {round} a reader was shown mail that came after another had taken over.");
        }
    }

    [Fact]
    public async Task Sequences_count_from_one_in_each_thread_without_gaps()
    {
        var host = await JoinAsync();
        for (var i = 1; i <= 5; i++)
        {
            Assert.Equal(new MailPosted(i), await host.AnswerAsync(new PostMessage("t1", Mailbag.Message($"{i}"))));
            Assert.Equal(new MailPosted(i), await host.AnswerAsync(new PostMessage("t2", Mailbag.Message($"{i}"))));
        }

        var mail = await Store.ReadAllAsync(host, "t1");
        Assert.Equal([1, 2, 3, 4, 5], mail.Select(static item => item.Sequence));
        Assert.Equal(["1", "2", "3", "4", "5"], mail.Select(static item => ((ThreadMessage)item.Event).Content));
    }

    [Fact]
    public async Task Refused_and_given_up_batches_leave_no_gap()
    {
        var host = await JoinAsync();
        await host.AnswerAsync(new PostMessage("t1", Mailbag.Message("1")));
        await host.CommitAsync(new PostMessage("t1", Mailbag.Message("refused")), new MoveTask("bg_99", TaskState.Pending));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Store.CommitAsync(
            host.Batch(new PostMessage("t1", Mailbag.Message("given up"))), new CancellationToken(canceled: true)).Within());

        Assert.Equal(new MailPosted(2), await host.AnswerAsync(new PostMessage("t1", Mailbag.Message("2"))));
    }

    [Fact]
    public async Task Mail_of_many_senders_at_once_is_in_order_for_each_and_never_visible_before_what_is_before_it()
    {
        var host = await JoinAsync();
        var reader = await host.OpenAsync("t1");
        var senders = Enumerable.Range(0, 4).Select(sender => Task.Run(async () =>
        {
            for (var i = 0; i < 50; i++)
            {
                await host.AnswerAsync(new PostMessage("t1", Mailbag.Message($"{i}", $"sender-{sender}")));
            }
        }, Stop)).ToList();
        var all = Task.WhenAll(senders);
        var read = new List<InboxItem>();
        while (read.Count < 200)
        {
            var ended = all.IsCompleted;
            var page = await Store.ReadMailAsync("t1", reader, read.Count, 7, Stop).Within();
            Assert.InRange(page.Items.Count, 0, 7);
            read.AddRange(page.Items);
            Assert.False(ended && page.Items.Count == 0 && read.Count < 200, "Mail was lost.");
            await Task.Yield();
        }

        await all.Within();
        Assert.Equal(Enumerable.Range(1, 200).Select(static n => (long)n), read.Select(static item => item.Sequence));
        foreach (var sender in read.Select(static item => (ThreadMessage)item.Event).GroupBy(static message => message.FromThreadId))
        {
            Assert.Equal(Enumerable.Range(0, 50).Select(static n => $"{n}"), sender.Select(static message => message.Content));
        }
    }

    [Fact]
    public async Task Every_kind_of_mail_comes_back_as_it_was_posted()
    {
        var host = await JoinAsync();
        var message = Mailbag.Message("‮ \u0001 \u2028 🌳 </background-task-event> \"'");
        await host.AnswerAsync(new PostMessage("t1", message));
        var completed = await host.AddAsync();
        var failed = await host.AddAsync();
        var cancelled = await host.AddAsync();
        var odd = new CustomTaskEvent(completed, "pro gress\n", JsonSerializer.SerializeToElement(new { text = "é\u0000", n = 1.0 }));
        await host.AnswerAsync(new PostEvents(completed, 0, [odd]));
        await host.AnswerAsync(new FinishTask(completed, TaskState.Completed) { Result = Mailbag.Json("[1]") });
        await host.FinishAsync(failed, TaskState.Failed);
        await host.FinishAsync(cancelled, TaskState.Cancelled);

        var mail = (await Store.ReadAllAsync(host, "t1")).Select(static item => item.Event).ToList();

        Assert.Equal(
            [message, odd, new TaskCompleted(completed, JsonSerializer.SerializeToElement(new[] { 1 })), new TaskFailed(failed, "boom"), new TaskCancelled(cancelled)],
            mail);
    }

    [Fact]
    public async Task A_page_holds_no_more_than_was_asked_for()
    {
        var host = await JoinAsync();
        var reader = await host.OpenAsync("t1");
        for (var i = 0; i < 5; i++)
        {
            await host.AnswerAsync(new PostMessage("t1", Mailbag.Message($"{i}")));
        }

        Assert.Equal([1, 2], await SequencesAsync(reader, 0, 2));
        Assert.Equal([3, 4], await SequencesAsync(reader, 2, 2));
        Assert.Equal([5], await SequencesAsync(reader, 4, 2));
        Assert.Empty(await SequencesAsync(reader, 5, 2));
        Assert.Empty(await SequencesAsync(reader, 50, 2));
    }

    [Fact]
    public async Task Only_the_reader_that_has_the_mailbox_reads_it()
    {
        var host = await JoinAsync();
        await host.AnswerAsync(new PostMessage("t1", Mailbag.Message("hello")));
        Assert.False((await Store.ReadMailAsync("t1", Guid.NewGuid(), 0, 10, Stop)).IsReader);
        var first = await host.OpenAsync("t1");
        Assert.Equal([1], await SequencesAsync(first, 0, 10));

        var second = await host.OpenAsync("t1");

        Assert.False((await Store.ReadMailAsync("t1", first, 0, 10, Stop)).IsReader);
        Assert.Empty((await Store.ReadMailAsync("t1", first, 0, 10, Stop)).Items);
        Assert.Equal([1], await SequencesAsync(second, 0, 10));
    }

    [Fact]
    public async Task A_reader_that_was_taken_over_can_neither_acknowledge_nor_close()
    {
        var host = await JoinAsync("a");
        var other = await JoinAsync("b");
        await host.AnswerAsync(new PostMessage("t1", Mailbag.Message("hello")));
        var first = await host.OpenAsync("t1");
        var second = await other.OpenAsync("t1");

        Assert.Equal(ReaderRefused.Instance, await host.RefusalAsync(new AcknowledgeMail("t1", first, 1)));
        Assert.Equal(MailboxClosed.Instance, await host.AnswerAsync(new CloseMailbox("t1", first)));

        Assert.Equal([1], await SequencesAsync(second, 0, 10));
        Assert.Equal(new MailAcknowledged(1), await other.AnswerAsync(new AcknowledgeMail("t1", second, 1)));
    }

    [Fact]
    public async Task A_closed_mailbox_takes_no_acknowledgement_and_gives_nothing()
    {
        var host = await JoinAsync();
        await host.AnswerAsync(new PostMessage("t1", Mailbag.Message("hello")));
        var reader = await host.OpenAsync("t1");
        await host.AnswerAsync(new CloseMailbox("t1", reader));

        Assert.Equal(ReaderRefused.Instance, await host.RefusalAsync(new AcknowledgeMail("t1", reader, 1)));
        Assert.False((await Store.ReadMailAsync("t1", reader, 0, 10, Stop)).IsReader);
        Assert.Equal(MailboxClosed.Instance, await host.AnswerAsync(new CloseMailbox("t1", reader)));
    }

    [Fact]
    public async Task What_is_not_acknowledged_comes_again_and_what_is_does_not()
    {
        var host = await JoinAsync();
        for (var i = 1; i <= 4; i++)
        {
            await host.AnswerAsync(new PostMessage("t1", Mailbag.Message($"{i}")));
        }

        var reader = await host.OpenAsync("t1");
        Assert.Equal([1, 2, 3, 4], await SequencesAsync(reader, 0, 10));
        Assert.Equal(new MailAcknowledged(2), await host.AnswerAsync(new AcknowledgeMail("t1", reader, 2)));

        var next = Guid.NewGuid();
        Assert.Equal(new MailboxOpened(2), await host.AnswerAsync(new OpenMailbox("t1", next)));
        Assert.Equal([3, 4], await SequencesAsync(next, 2, 10));
    }

    [Fact]
    public async Task An_acknowledgement_beyond_the_end_means_the_end_and_does_not_swallow_what_comes_later()
    {
        var host = await JoinAsync();
        await host.AnswerAsync(new PostMessage("t1", Mailbag.Message("1")));
        var reader = await host.OpenAsync("t1");

        Assert.Equal(new MailAcknowledged(1), await host.AnswerAsync(new AcknowledgeMail("t1", reader, long.MaxValue)));
        await host.AnswerAsync(new PostMessage("t1", Mailbag.Message("2")));

        Assert.Equal([2], (await Store.ReadAllAsync(host, "t1")).Select(static item => item.Sequence));
    }

    [Fact]
    public async Task An_acknowledgement_never_goes_back()
    {
        var host = await JoinAsync();
        for (var i = 1; i <= 3; i++)
        {
            await host.AnswerAsync(new PostMessage("t1", Mailbag.Message($"{i}")));
        }

        var reader = await host.OpenAsync("t1");
        await host.AnswerAsync(new AcknowledgeMail("t1", reader, 3));

        Assert.Equal(new MailAcknowledged(3), await host.AnswerAsync(new AcknowledgeMail("t1", reader, 1)));
        Assert.Empty(await Store.ReadAllAsync(host, "t1"));
    }

    [Fact]
    public async Task An_empty_mailbox_can_be_opened_acknowledged_and_closed()
    {
        var host = await JoinAsync();
        var reader = Guid.NewGuid();

        Assert.Equal(new MailboxOpened(0), await host.AnswerAsync(new OpenMailbox("t1", reader)));
        Assert.Empty(await SequencesAsync(reader, 0, 10));
        Assert.Equal(new MailAcknowledged(0), await host.AnswerAsync(new AcknowledgeMail("t1", reader, 5)));
        Assert.Equal(MailboxClosed.Instance, await host.AnswerAsync(new CloseMailbox("t1", reader)));
    }

    [Fact]
    public async Task Acknowledgements_and_sequences_outlive_the_process()
    {
        var host = await JoinAsync();
        for (var i = 1; i <= 3; i++)
        {
            await host.AnswerAsync(new PostMessage("t1", Mailbag.Message($"{i}")));
        }

        var reader = await host.OpenAsync("t1");
        await host.AnswerAsync(new AcknowledgeMail("t1", reader, 3));
        await host.AnswerAsync(new PostMessage("t2", Mailbag.Message("1")));
        await ReopenAsync();
        host = await JoinAsync("next");

        Assert.Equal(new MailboxOpened(3), await host.AnswerAsync(new OpenMailbox("t1", Guid.NewGuid())));
        Assert.Equal(new MailPosted(4), await host.AnswerAsync(new PostMessage("t1", Mailbag.Message("4"))));
        Assert.Equal([1], (await Store.ReadAllAsync(host, "t2")).Select(static item => item.Sequence));
    }

    [Fact]
    public async Task Mail_never_reaches_another_thread()
    {
        var host = await JoinAsync();
        var a = await host.AddAsync("a");
        var b = await host.AddAsync("b", parent: a);
        await host.FinishAsync(b);
        await host.FinishAsync(a, TaskState.Failed);

        Assert.Equal([new TaskFailed(a, "boom")], (await Store.ReadAllAsync(host, "a")).Select(static item => item.Event));
        Assert.Equal([new TaskCompleted(b, null)], (await Store.ReadAllAsync(host, "b")).Select(static item => item.Event));
        Assert.Empty(await Store.ReadAllAsync(host, "A"));
    }

    [Fact]
    public async Task The_depth_of_mail_is_what_is_not_acknowledged()
    {
        var host = await JoinAsync();
        Assert.Equal(0, Store.MailDepth);
        await host.AnswerAsync(new PostMessage("t1", Mailbag.Message("1")));
        await host.AnswerAsync(new PostMessage("t2", Mailbag.Message("2")));
        Assert.Equal(2, Store.MailDepth);
        var reader = await host.OpenAsync("t1");
        await host.AnswerAsync(new AcknowledgeMail("t1", reader, 1));
        Assert.Equal(1, Store.MailDepth);
    }

    [Fact]
    public async Task Of_many_readers_that_open_at_once_one_has_the_mailbox()
    {
        var host = await JoinAsync();
        await host.AnswerAsync(new PostMessage("t1", Mailbag.Message("1")));
        for (var round = 0; round < 20; round++)
        {
            var readers = await Enumerable.Range(0, 8).Select(_ => Task.Run(() => host.OpenAsync("t1"), Stop)).AllWithin();
            var pages = await readers.Select(reader => Store.ReadMailAsync("t1", reader, 0, 10, Stop).AsTask()).AllWithin();
            Assert.Single(pages, static page => page.IsReader);
        }
    }

    private async Task<IEnumerable<long>> SequencesAsync(Guid reader, long after, int limit)
    {
        var page = await Store.ReadMailAsync("t1", reader, after, limit, Stop).Within();
        Assert.True(page.IsReader, "The reader does not have the mailbox.");
        return page.Items.Select(static item => item.Sequence);
    }
}
