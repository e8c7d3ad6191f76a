using System.Globalization;
using Coppice.StoreContract;

namespace Coppice.Sqlite.Tests;

/// <summary>
/// Many lanes, and long ones: more than are in memory or are read at a time. Claims take from them what the store in memory does, which has all
/// of it in order, also where several batches share a transaction and after the file was opened again.
/// </summary>
public sealed class LongQueueTests : IAsyncDisposable
{
    private static readonly int Rounds = LongRun.Count(inTests: 150, inLongRun: 5000);

    private readonly TempFolder _folder = new();
    private readonly InMemoryTaskStore _memory = new();
    private readonly List<ClaimedWork> _running = [];
    private readonly List<string> _ids = [];
    private SqliteTaskStore? _file;
    private StoreHost _inMemory = null!;
    private StoreHost _inFile = null!;
    private Random _random = new(0);
    private int _claims;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _memory.DisposeAsync();
        if (_file is { } open)
        {
            await open.DisposeAsync();
        }

        _folder.Dispose();
    }

    [Theory]
    [InlineData(3, 400)]
    [InlineData(40, 10)]
    [InlineData(200, 2)]
    public async Task Claims_take_the_same_as_in_memory(int lanes, int depth)
    {
        var seed = Environment.GetEnvironmentVariable("COPPICE_SEED") is { Length: > 0 } given
            ? int.Parse(given, CultureInfo.InvariantCulture)
            : Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"COPPICE_SEED={seed}");
        _random = new Random(seed);
        await OpenAsync();
        await CommitAsync([[.. Enumerable.Range(0, lanes * depth).Select(_ => AnAdd(lanes))]]);

        for (var round = 0; round < Rounds; round++)
        {
            await CommitAsync([.. Enumerable.Range(0, _random.Next(1, 6)).Select(_ => ABatch(lanes))]);
            if (_random.Next(50) == 0)
            {
                await OpenAsync();
            }
        }

        await CommitAsync([[new ClaimWork(Kinds(3), int.MaxValue)]]);
        Assert.InRange(_claims, Rounds, int.MaxValue);
    }

    private static KindClaim[] Kinds(int maxVersion, int maxRunningPerThread = int.MaxValue) =>
        [.. new[] { "a", "b" }.Select(kind => new KindClaim(kind) { MaxVersion = maxVersion, MaxRunningPerThread = maxRunningPerThread })];

    private Mutation[] ABatch(int lanes) => _random.Next(8) switch
    {
        0 or 1 => [.. Enumerable.Range(0, _random.Next(1, 12)).Select(_ => AnAdd(lanes))],
        2 when Take() is { } work => [new FinishTask(work.Task.TaskId, TaskState.Completed) { Claim = work.Claim }],
        3 when Take() is { } work => [new HandBackWork(work.Task.TaskId, work.Claim)],
        4 => [new RequestCancel(CancelScope.Task, _ids[_random.Next(_ids.Count)])],
        5 => [new ClaimWork(Kinds(1 + _random.Next(3))[_random.Next(2)..], _random.Next(1, 30))],
        6 => [new ClaimWork(Kinds(1 + _random.Next(3), 1 + _random.Next(4)), _random.Next(1, 4))],
        _ => [new ClaimWork(Kinds(3), _random.Next(1, 4))],
    };

    private AddTask AnAdd(int lanes) => StoreHost.WorkTask(_random.Next(3) == 0 ? "b" : "a", "t" + _random.Next(lanes), work => work with
    {
        Priority = _random.Next(4) - 1,
        Version = _random.Next(4) == 0 ? 1 + _random.Next(3) : 1,
        Recovery = RecoveryPolicy.Idempotent,
        MaxCrashes = int.MaxValue,
    });

    private ClaimedWork? Take()
    {
        if (_running.Count == 0)
        {
            return null;
        }

        var place = _random.Next(_running.Count);
        var work = _running[place];
        _running.RemoveAt(place);
        return work;
    }

    /// <summary>Hands batches in at once, so that some of them share a transaction of the file.</summary>
    private async Task CommitAsync(IReadOnlyList<Mutation[]> batches)
    {
        var inFile = batches.Select(batch => _inFile.CommitAsync(batch)).ToList();
        foreach (var (batch, answer) in batches.Zip(inFile))
        {
            var (memory, file) = (await _inMemory.CommitAsync(batch), await answer);
            Assert.Equal(memory.Status, file.Status);
            foreach (var (first, second) in memory.Answers.Zip(file.Answers))
            {
                if (first is WorkClaimed known && second is WorkClaimed claimed)
                {
                    Assert.Equal(known.Tasks.Select(static work => (work.Task.TaskId, work.Claim)), claimed.Tasks.Select(static work => (work.Task.TaskId, work.Claim)));
                    Assert.Equal(known.UnknownKinds, claimed.UnknownKinds);
                    _running.AddRange(known.Tasks);
                    _claims += known.Tasks.Count;
                }
                else
                {
                    Assert.Equivalent(first, second);
                }

                _ids.AddRange(first is TaskAdded added ? [added.TaskId] : []);
            }
        }
    }

    /// <summary>Opens the file, once more if it is open. Both stores find the host gone, and what it ran pending.</summary>
    private async Task OpenAsync()
    {
        if (_file is { } open)
        {
            await open.DisposeAsync();
            await _inMemory.AnswerAsync(new LeaveHost());
        }

        _file = await SqliteTaskStore.OpenAsync(_folder.Store, cancellationToken: Stop);
        _inFile = await StoreHost.JoinAsync(_file);
        _inMemory = await StoreHost.JoinAsync(_memory);
        _running.Clear();
    }
}
