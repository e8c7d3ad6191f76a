using Coppice.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Coppice.Tests.Storage;

/// <summary>What becomes of a batch whose answer was lost.</summary>
public sealed class StoreGatewayTests
{
    private static readonly CommitResult Found = new(CommitStatus.Landed, 7, new MailPosted(3));
    private static readonly PostMessage Post = new("t1", new ThreadMessage("m", "t0", "a", "hello"));

    private readonly ManualClock _clock = new();
    private readonly Observer _observer = new();
    private readonly ScriptedStore _script;
    private readonly StoreGateway _gateway;
    private int _looks;
    private volatile TaskCompletionSource? _looked;

    public StoreGatewayTests()
    {
        var (store, script) = ScriptedStore.Create();
        _script = script;
        var options = new BackgroundTaskOptions { TimeProvider = _clock };
        _gateway = new StoreGateway(store, options, new TaskMetrics(null, _clock, static () => 0, static () => 0), NullLogger.Instance);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_answer_that_was_lost_and_found_is_the_answer_and_is_told_once()
    {
        Lose(static _ => Found);

        var result = await CommitAsync();

        Assert.Same(Found, result);
        Assert.True(result.WasFound);
        Assert.Equal(1, _observer.Landings);
    }

    [Fact]
    public async Task What_did_not_land_fails_and_is_not_looked_for_again()
    {
        Lose(static _ => null);

        await Assert.ThrowsAsync<TaskStoreException>(CommitAsync);
        _clock.Advance(TimeSpan.FromHours(1));

        Assert.Equal((1, 0), (_looks, _observer.Landings));
    }

    [Fact]
    public async Task What_cannot_be_looked_up_is_looked_for_ever_more_seldom_until_it_is_known()
    {
        Lose(look => look < 7 ? throw new TaskStoreException("away", isTransient: false) : Found);

        var armed = _clock.NextArmedAsync();
        await Assert.ThrowsAsync<TaskStoreException>(CommitAsync);
        int[] pauses = [1, 2, 4, 8, 10, 10];
        foreach (var (index, pause) in pauses.Index())
        {
            await armed.WaitAsync(Stop);
            _clock.Advance(TimeSpan.FromSeconds(pause) - TimeSpan.FromMilliseconds(1));
            Assert.Equal(index + 1, _looks);
            armed = _clock.NextArmedAsync();
            var looked = NextLook();
            _clock.Advance(TimeSpan.FromMilliseconds(1));
            await looked.WaitAsync(Stop);
            Assert.Equal(index + 2, _looks);
        }

        await _observer.Landed.WaitAsync(Stop);
        _clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal((7, 1), (_looks, _observer.Landings));
    }

    [Fact]
    public async Task A_look_that_finds_that_nothing_landed_is_the_last()
    {
        Lose(look => look < 2 ? throw new TaskStoreException("away", isTransient: false) : null);

        var armed = _clock.NextArmedAsync();
        await Assert.ThrowsAsync<TaskStoreException>(CommitAsync);
        await armed.WaitAsync(Stop);
        var looked = NextLook();
        _clock.Advance(TimeSpan.FromSeconds(1));
        await looked.WaitAsync(Stop);
        _clock.Advance(TimeSpan.FromHours(1));

        Assert.Equal((2, 0), (_looks, _observer.Landings));
    }

    [Fact]
    public async Task What_is_known_not_to_be_stored_is_not_looked_up()
    {
        Lose(static _ => Found, new TaskStoreException("refused", isTransient: true) { IsKnownNotCommitted = true });

        await Assert.ThrowsAsync<TaskStoreException>(CommitAsync);

        Assert.Equal(0, _looks);
    }

    [Fact]
    public async Task Every_other_failure_of_a_store_becomes_its_failure()
    {
        Lose(static _ => null, new InvalidOperationException("the driver broke"));

        var failure = await Assert.ThrowsAsync<TaskStoreException>(CommitAsync);

        Assert.Contains("the driver broke", failure.Message, StringComparison.Ordinal);
        Assert.False(failure.IsTransient);
        Assert.IsType<InvalidOperationException>(failure.InnerException);
    }

    private void Lose(Func<int, CommitResult?> find, Exception? failure = null)
    {
        _script.OnCommit = _ => throw failure ?? new TaskStoreException("The answer was lost.", isTransient: true);
        _script.OnFindCommit = _ =>
        {
            var look = Interlocked.Increment(ref _looks);
            _looked?.TrySetResult();
            return find(look);
        };
    }

    private async Task<CommitResult> CommitAsync() => await _gateway.CommitAsync("test", Post, new HostFence("h", 1), _observer, Stop);

    private Task NextLook() => (_looked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    private sealed class Observer : ICommitObserver
    {
        private readonly TaskCompletionSource _landed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _landings;

        internal Task Landed => _landed.Task;

        internal int Landings => Volatile.Read(ref _landings);

        public void OnLanded(CommitResult result, HostFence fence)
        {
            Interlocked.Increment(ref _landings);
            _landed.TrySetResult();
        }
    }
}
