using Coppice.StoreContract;

namespace Coppice.Tests.Mail;

/// <summary>Law 8, where an inbox learns from the store alone that somebody else reads: the word of it may be late, or lost.</summary>
public sealed class InboxTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_read_that_the_store_refuses_is_the_end_of_the_inbox()
    {
        var (store, script) = ScriptedStore.Create();
        await using var manager = await BackgroundTaskManager.StartAsync(store, cancellationToken: Stop).Within();
        await using var inbox = await manager.OpenInboxAsync("t1", Stop);

        script.ReadersAreStrangers = true;
        await Assert.ThrowsAsync<InboxTakenOverException>(() => inbox.DrainAsync(Stop).Within());

        script.ReadersAreStrangers = false;
        await Assert.ThrowsAsync<InboxTakenOverException>(() => inbox.ReadAsync(Stop).Within());
    }

    [Fact]
    public async Task An_acknowledgement_that_the_store_refuses_is_the_end_of_the_inbox()
    {
        var (store, script) = ScriptedStore.Create();
        await using var manager = await BackgroundTaskManager.StartAsync(store, cancellationToken: Stop).Within();
        await using var inbox = await manager.OpenInboxAsync("t1", Stop);

        script.OnCommit = static mutation =>
            mutation is AcknowledgeMail ? new CommitResult(CommitStatus.Refused, 0, NotApplied.Instance) : null;
        await Assert.ThrowsAsync<InboxTakenOverException>(() => inbox.AckAsync(0, Stop).Within());

        await Assert.ThrowsAsync<InboxTakenOverException>(() => inbox.DrainAsync(Stop).Within());
    }
}
