namespace Coppice.PostgreSql.Tests.Support;

/// <summary>A schema of a test's own and what writes to it, a group at a time and on the test's own thread.</summary>
internal sealed class GroupFixture : IAsyncDisposable
{
    private readonly ScratchSchema _schema;
    private readonly Database _database;
    private readonly SessionLocks _session;
    private readonly RowStore _store;
    private readonly BatchWriter _batches;
    private HostFence _host = HostFence.None;
    private bool _isFirst;
    private long _count;

    private GroupFixture(ScratchSchema schema, Database database, long process, ITaskStoreListener? listener)
    {
        (_schema, _database) = (schema, database);
        _session = new SessionLocks(database);
        Memory = new StoreMemory(_session, new NewsChannel("coppice_group", process));
        var listeners = new Listeners();
        if (listener is not null)
        {
            listeners.Add(listener);
        }

        _store = new RowStore(database, Memory, listeners);
        _batches = new BatchWriter(_store);
    }

    /// <summary>Gets or sets whether groups begin ahead where they can.</summary>
    public bool Ahead { get; set; }

    /// <summary>Gets how often the last group sent something.</summary>
    public long Exchanges { get; private set; }

    /// <summary>Gets whether the last group was written by what was known.</summary>
    public bool WasAhead { get; private set; }

    /// <summary>Gets what other processes would hear of the last group.</summary>
    public IReadOnlyList<NewsItem> News { get; private set; } = [];

    /// <summary>Gets the host.</summary>
    public HostFence Host => _host;

    /// <summary>Gets what the store remembers.</summary>
    public StoreMemory Memory { get; }

    /// <summary>Gets what listeners would hear of the last group.</summary>
    public IReadOnlyList<Notices.Entry> Told { get; private set; } = [];

    public static async Task<GroupFixture> CreateAsync(ITaskStoreListener? listener = null)
    {
        var schema = await ScratchSchema.ReserveAsync();
        await schema.ExecuteAsync(PostgreSqlSchema.CreateScript(schema.Name));
        return await JoinAsync(schema, process: 1, listener);
    }

    /// <summary>What another process writes to the same schema. It has to be disposed of first.</summary>
    public Task<GroupFixture> BesideAsync() => JoinAsync(_schema, process: 2, listener: null);

    private static async Task<GroupFixture> JoinAsync(ScratchSchema schema, long process, ITaskStoreListener? listener)
    {
        var options = new PostgreSqlTaskStoreOptions { Schema = schema.Name };
        var fixture = new GroupFixture(schema, new Database(await PostgresServer.ConnectionStringAsync(), options), process, listener) { _isFirst = process == 1 };
        fixture._host = ((HostJoined)fixture.Write(new JoinHost($"h{process}")).Single().Answers[0]).Fence;
        return fixture;
    }

    /// <summary>Writes batches of one mutation each, as one group.</summary>
    public WrittenBatch[] Write(params Mutation[] mutations) => WriteGroup([.. mutations.Select(static mutation => (Mutation[])[mutation])]);

    /// <summary>Writes batches as one group.</summary>
    public WrittenBatch[] WriteGroup(params Mutation[][] batches)
    {
        var before = _store.Exchanges;
        var group = batches.Select(batch => new MutationBatch(new BatchId(_host.Epoch, ++_count), _host, TimeProvider.System.GetUtcNow(), batch)).ToList();
        var notices = new Notices();
        var ahead = Ahead ? WriteAhead(group, notices) : null;
        WasAhead = ahead is not null;
        var written = ahead ?? WriteByReading(group, notices);
        _store.Landed();
        Told = notices.Entries;
        Exchanges = _store.Exchanges - before;
        return [.. written];
    }

    private List<WrittenBatch>? WriteAhead(List<MutationBatch> group, Notices notices)
    {
        try
        {
            if (group.TrueForAll(_store.IsAtHand) && _store.TryBeginAhead(group))
            {
                var written = group.ConvertAll(batch => _batches.Write(batch, notices));
                News = _store.News(notices);
                if (_store.CommitAhead(_store.NextMark()) is not null)
                {
                    return written;
                }

                _store.Rollback(dropNumbers: false);
            }
        }
        catch (NotAtHandException)
        {
            _store.Rollback(dropNumbers: false);
        }

        return null;
    }

    private List<WrittenBatch> WriteByReading(List<MutationBatch> group, Notices notices)
    {
        notices.Clear();
        _store.Begin(group, []);
        var written = group.ConvertAll(batch => _batches.Write(batch, notices));
        News = _store.News(notices);
        _store.Commit(_store.NextMark());
        return written;
    }

    /// <summary>Adds a task and gives its id.</summary>
    public string Add(AddTask task) => ((TaskAdded)Write(task).Single().Answers[0]).TaskId;

    /// <summary>Takes in that a reader has taken mail as read.</summary>
    public void Take(ReadMark mark) => _store.Take(mark);

    public Task ExecuteAsync(string sql) => _schema.ExecuteAsync(sql.Replace("{schema}", _schema.Name, StringComparison.Ordinal));

    public Task<long> CountAsync(string fromWhere) => NumberAsync($"SELECT count(*) FROM {{schema}}.{fromWhere}");

    public async Task<long> NumberAsync(string sql) => (long)(await _schema.QueryAsync(sql.Replace("{schema}", _schema.Name, StringComparison.Ordinal)))!;

    public async ValueTask DisposeAsync()
    {
        _store.Dispose();
        _session.Dispose();
        await _database.DisposeAsync();
        if (_isFirst)
        {
            await _schema.DisposeAsync();
        }
    }
}
