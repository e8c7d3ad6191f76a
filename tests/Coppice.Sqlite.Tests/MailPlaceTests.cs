using Coppice.StoreContract;
using Microsoft.Data.Sqlite;

namespace Coppice.Sqlite.Tests;

/// <summary>Where a piece of mail is kept: by thread and sequence, up to the last that there is room for.</summary>
public sealed class MailPlaceTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1, 0)]
    [InlineData(1, 1)]
    [InlineData(7, (1L << 35) - 1)]
    [InlineData((1L << 28) - 1, (1L << 35) - 1)]
    public void Places_are_ordered_by_thread_and_then_by_sequence(long thread, long sequence)
    {
        var place = MailPlace.Of(thread, sequence);

        Assert.Equal(sequence, MailPlace.SequenceAt(place));
        Assert.InRange(place, MailPlace.Through(thread, long.MinValue), MailPlace.Through(thread, long.MaxValue));
        Assert.True(place > MailPlace.Through(thread - 1, long.MaxValue));
    }

    [Theory]
    [InlineData(1, 1L << 35)]
    [InlineData(1L << 28, 1)]
    public void There_is_an_end_to_places(long thread, long sequence) =>
        Assert.Throws<OverflowException>(() => MailPlace.Of(thread, sequence));

    [Fact]
    public async Task Mail_past_the_last_place_fails_its_own_caller_only()
    {
        await using (var store = await SqliteTaskStore.OpenAsync(_folder.Store, cancellationToken: Stop))
        {
            await PostAsync(await StoreHost.JoinAsync(store), "full");
        }

        using (var connection = new Connection(_folder.Store, SqliteOpenMode.ReadWrite, TimeSpan.FromSeconds(1)))
        {
            connection.Execute("UPDATE threads SET last_seq = (1 << 35) - 2");
        }

        await using var again = await SqliteTaskStore.OpenAsync(_folder.Store, cancellationToken: Stop);
        var host = await StoreHost.JoinAsync(again);
        Assert.Equal((1L << 35) - 1, await PostAsync(host, "full"));
        var error = await Assert.ThrowsAsync<TaskStoreException>(() => PostAsync(host, "full"));

        Assert.Equal(("store_rejected", false, true), (error.Code, error.IsTransient, error.IsKnownNotCommitted));
        Assert.Equal(1, await PostAsync(host, "empty"));
        var reader = await host.OpenAsync("full");
        Assert.Equal([1, (1L << 35) - 1], (await again.ReadMailAsync("full", reader, 0, 10, Stop)).Items.Select(item => item.Sequence));
    }

    [Theory]
    [InlineData(-1, 2)]
    [InlineData(long.MinValue, 2)]
    [InlineData(1, 1)]
    [InlineData(2, 0)]
    [InlineData(long.MaxValue, 0)]
    public async Task Mail_after_any_number_is_that_of_the_thread_alone(long after, int expected)
    {
        await using var store = await SqliteTaskStore.OpenAsync(_folder.Store, cancellationToken: Stop);
        var host = await StoreHost.JoinAsync(store);
        foreach (var thread in (string[])["before", "this", "after", "this", "before", "after"])
        {
            await PostAsync(host, thread);
        }

        var reader = await host.OpenAsync("this");

        Assert.Equal(expected, (await store.ReadMailAsync("this", reader, after, 10, Stop)).Items.Count);
    }

    private static async Task<long> PostAsync(StoreHost host, string thread) =>
        Assert.IsType<MailPosted>(await host.AnswerAsync(new PostMessage(thread, new ThreadMessage("m", "t", "a", "")))).Sequence;
}
