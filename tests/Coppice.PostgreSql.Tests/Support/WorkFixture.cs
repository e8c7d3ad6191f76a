using System.Globalization;
using System.Text.Json;

namespace Coppice.PostgreSql.Tests.Support;

/// <summary>A schema of a test's own with its tables, and two hosts that write to it.</summary>
internal sealed class WorkFixture : IAsyncDisposable
{
    private readonly ScratchSchema _schema;
    private readonly Database _database;

    private WorkFixture(ScratchSchema schema, Database database)
    {
        (_schema, _database) = (schema, database);
        One = new Writer(database);
        Other = new Writer(database);
    }

    /// <summary>Gets a time to count from.</summary>
    public static DateTimeOffset Start { get; } = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public Writer One { get; }

    public Writer Other { get; }

    public static async Task<WorkFixture> CreateAsync()
    {
        var schema = await ScratchSchema.ReserveAsync();
        await schema.ExecuteAsync(PostgreSqlSchema.CreateScript(schema.Name));
        return new(schema, new Database(await PostgresServer.ConnectionStringAsync(), new PostgreSqlTaskStoreOptions { Schema = schema.Name }));
    }

    public static JsonElement Json(string json) => JsonElement.Parse(json);

    /// <summary>A text as long as an id may be, which cannot be made shorter.</summary>
    public static string LongText(int seed)
    {
        var bytes = new byte[3072];
        new Random(seed).NextBytes(bytes);
        return Convert.ToBase64String(bytes);
    }

    public Task ExecuteAsync(string sql) => _schema.ExecuteAsync(sql.Replace("{schema}", _schema.Name, StringComparison.Ordinal));

    public async Task<long> CountAsync(string fromWhere) => Convert.ToInt64(
        await _schema.QueryAsync($"SELECT count(*) FROM {_schema.Name}.{fromWhere}"), CultureInfo.InvariantCulture);

    /// <summary>Adds threads, numbered from 1, and says which task is whose: the tasks n·10 to n·10+9 are the thread n's.</summary>
    public Task AddThreadsAsync(int count) => ExecuteAsync($$"""
        INSERT INTO {schema}.threads (owner_thread_id) SELECT generate_series(1, {{count}});
        INSERT INTO {schema}.task_ids (n, owner_thread_id) SELECT n, n / 10 FROM generate_series(10, {{(count * 10) + 9}}) n;
        """);

    /// <summary>Waits until what a writer does waits for a lock, which it has to before it is done.</summary>
    public async Task WaitUntilBlockedAsync(Writer writer, Task doing)
    {
        while (!Equals(await _schema.QueryAsync($"SELECT coalesce(wait_event_type = 'Lock', false) FROM pg_stat_activity WHERE pid = {writer.Process}"), true))
        {
            Assert.False(doing.IsCompleted);
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
        }
    }

    public async ValueTask DisposeAsync()
    {
        One.Dispose();
        Other.Dispose();
        await _database.DisposeAsync();
        await _schema.DisposeAsync();
    }

    /// <summary>A host's connection and the rows that are seen through it.</summary>
    internal sealed class Writer : IDisposable
    {
        public Writer(Database database)
        {
            Connection = new WriterConnection(database);
            Process = Connection.Prepare("SELECT pg_backend_pid()::bigint").Scalar()!.Value;
            var owners = new TaskOwners(Connection, new OwnerMemory());
            Work = new WorkRows(Connection, owners);
            Lanes = new LaneRows(Connection);
            Kinds = new KindRows(Connection, Lanes);
            Steps = new StepRows(Connection, owners);
        }

        public WriterConnection Connection { get; }

        public long Process { get; }

        public WorkRows Work { get; }

        public LaneRows Lanes { get; }

        public KindRows Kinds { get; }

        public StepRows Steps { get; }

        public void Begin(params long[] threads)
        {
            Forget();
            Connection.Begin(threads);
        }

        public void Commit()
        {
            Lanes.Save();
            Connection.Commit();
        }

        public void Rollback() => Connection.Rollback();

        public void Mark()
        {
            Lanes.Save();
            Connection.Mark();
        }

        public void RollbackToMark()
        {
            Connection.RollbackToMark();
            Forget();
        }

        /// <summary>Gives a lane of a thread ready and running tasks.</summary>
        public LaneHead SetLane(long kind, long thread, int ready, int running = 0, int priority = 0, int version = 1, long turn = 0)
        {
            var lane = Lanes.Changing(Lanes.NumberOf(kind, thread));
            (lane.Ready, lane.Priority, lane.Version, lane.Turn) = (ready, priority, version, turn);
            while (lane.Running < running)
            {
                Lanes.Began(lane);
            }

            while (lane.Running > running)
            {
                Lanes.Stopped(lane);
            }

            return lane;
        }

        /// <summary>Adds the work of a task, ready at a rank or waiting for a time.</summary>
        public WorkHead AddWork(long number, long kind, long? rank = null, DateTimeOffset? dueAt = null, NewWork? work = null)
        {
            work ??= new NewWork { Kind = "k", Input = default };
            var head = WorkHead.Of(number, kind, Lanes.NumberOf(kind, number / 10), work) with { Rank = rank, DueAt = dueAt };
            Work.Add(head, number / 10, work);
            return head;
        }

        public void Dispose() => Connection.Dispose();

        private void Forget()
        {
            Work.Forget();
            Lanes.Forget();
            Kinds.Forget();
        }
    }
}
