namespace Coppice.PostgreSql;

/// <content>What a process has to hear of, as the tables show it.</content>
internal sealed partial class StoreReader
{
    private const int TasksAtOnce = 1024;

    /// <summary>Reads tasks by their numbers. Those that are not there any more are left out.</summary>
    public async Task<Dictionary<long, TaskSnapshot>> GetAllAsync(long[] numbers, CancellationToken cancellationToken)
    {
        var tasks = new Dictionary<long, TaskSnapshot>(numbers.Length);
        foreach (var some in numbers.Chunk(TasksAtOnce))
        {
            var rows = await RowsAsync(NewsQueries.TasksSql, [Parameter.Of(some)], static row => (Number: row.Number(0), Task: TaskRow.Read(row)), cancellationToken)
                .ConfigureAwait(false);
            foreach (var (number, task) in rows)
            {
                tasks[number] = task;
            }
        }

        return tasks;
    }

    /// <summary>Reads what tasks emitted, by task and place. What is not in its mailbox any more is left out.</summary>
    public async Task<Dictionary<(long Task, long Sequence), string>> ReadEmittedAsync(IReadOnlyList<NewsItem> events, CancellationToken cancellationToken)
    {
        if (events.Count == 0)
        {
            return [];
        }

        var rows = await RowsAsync(
            NewsQueries.EmittedSql,
            [Parameter.Of([.. events.Select(static each => each.Task)]), Parameter.Of([.. events.Select(static each => each.Sequence)])],
            static row => (Task: row.Number(0), Sequence: row.Number(1), Json: row.Text(2)),
            cancellationToken).ConfigureAwait(false);
        return rows.ToDictionary(static row => (row.Task, row.Sequence), static row => row.Json);
    }

    /// <summary>Which of some hosts are not open.</summary>
    public ValueTask<List<long>> FindClosedAsync(long[] epochs, CancellationToken cancellationToken) =>
        RowsAsync(NewsQueries.ClosedSql, [Parameter.Of(epochs)], static row => row.Number(0), cancellationToken);

    /// <summary>The live tasks of some hosts whose cancellation was requested, each with its host.</summary>
    public ValueTask<List<(string Task, long Epoch)>> FindCancelledAsync(long[] epochs, CancellationToken cancellationToken) =>
        RowsAsync(NewsQueries.CancelledSql, [Parameter.Of(epochs)], static row => (TaskRow.ReadId(row, 0)!, row.Number(2)), cancellationToken);

    /// <summary>The mailboxes that readers of some hosts have and that hold what they have not read, and whether that wakes.</summary>
    public ValueTask<List<(string Thread, bool Wakes)>> FindUnreadAsync(long[] epochs, CancellationToken cancellationToken) =>
        RowsAsync(NewsQueries.UnreadSql, [Parameter.Of(epochs)], static row => (row.Text(0), row.Flag(1)), cancellationToken);

    /// <summary>Which readers of a process have lost their mailboxes, to readers of others or with their host.</summary>
    public async Task<List<TakenOver>> FindTakenOverAsync(
        IReadOnlyList<(string ThreadId, long Thread, Guid Reader)> readers, long process, CancellationToken cancellationToken) =>
        readers.Count == 0 ? [] : await RowsAsync(
            NewsQueries.TakenOverSql,
            [Parameter.Of([.. readers.Select(static each => each.Thread)]), Parameter.Of([.. readers.Select(static each => each.Reader)]), Parameter.Of(process)],
            static row => new TakenOver(row.Text(0), row.Guid(1), row.GuidOrNull(2)),
            cancellationToken).ConfigureAwait(false);

    /// <summary>The kinds of which work may be claimed, or from when on.</summary>
    public ValueTask<List<(string Kind, DateTimeOffset? At)>> FindWorkAsync(CancellationToken cancellationToken) =>
        RowsAsync(NewsQueries.WorkSql, [], static row => (row.Text(0), row.TimeOrNull(1)), cancellationToken);

    /// <summary>The open hosts whose processes call somebody for mail that nobody reads.</summary>
    public ValueTask<List<long>> FindUnreadHandlersAsync(CancellationToken cancellationToken) =>
        RowsAsync(NewsQueries.UnreadHandlersSql, [], static row => row.Number(0), cancellationToken);

    /// <summary>The last open host of each process, in the order of epochs.</summary>
    public ValueTask<List<(HostFence Fence, long Process)>> ListProcessesAsync(CancellationToken cancellationToken) =>
        RowsAsync(NewsQueries.RingSql, [], static row => (new HostFence(row.Text(1), row.Number(0)), row.Number(2)), cancellationToken);
}
