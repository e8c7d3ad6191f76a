using System.Collections.Concurrent;
using System.Globalization;
using Npgsql;

namespace Coppice.PostgreSql;

/// <summary>The connections of a store: some that write, each for itself for as long as it lives, and a pool of those that read.</summary>
internal sealed class Database : IAsyncDisposable
{
    // A host that falls silent within a transaction holds its locks for as long as that, which has to be less than HostTimeout.
    private const int SilenceSeconds = 8;

    // The writer's own, and one for what must not wait for its transaction.
    internal const int WriterConnections = 2;

    // Beside those that write and read: for its hosts' locks, for those of the next process, for news from others, for news to them, and two for heartbeats.
    internal const int SessionConnections = 6;

    // Every statement has an index that it is meant to go by. Statistics that are missing or old (a plan made while the store was empty, one large
    // thread among many small ones) are not to talk the planner out of it, nor what it then thinks of the cost into compiling.
    internal const string PlannerSettings =
        """

        SET enable_seqscan = off;
        SET enable_bitmapscan = off;
        SET enable_sort = off;
        SET random_page_cost = 1;
        SET jit = off;
        SET default_transaction_isolation = 'read committed';
        """;

    // What writes has one plan for each statement, made once: rows are found by their keys, one after the other, however many there are.
    internal const string WriterSettings =
        """

        SET enable_hashjoin = off;
        SET enable_mergejoin = off;
        SET plan_cache_mode = force_generic_plan;
        """;

    private readonly NpgsqlDataSource _source;
    private readonly NpgsqlDataSource _readers;
    private readonly List<NpgsqlDataSource> _built = [];
    private readonly string _bare;
    private readonly ConcurrentDictionary<string, string> _statements = new(StringComparer.Ordinal);
    private readonly ConnectGate _gate = new(TimeProvider.System);
    private readonly SemaphoreSlim _reading;
    private readonly TimeSpan _longestWait;
    private volatile bool _hasOwnSessions;

    public Database(string connectionString, PostgreSqlTaskStoreOptions options)
    {
        Options = options;
        var settings = Parse(connectionString);
        Place = PlaceOf(settings);
        settings.ApplicationName ??= "coppice";
        settings.CommandTimeout = (int)Math.Ceiling(options.CommandTimeout.TotalSeconds);
        settings.MaxPoolSize = WriterConnections + SessionConnections;
        settings.MinPoolSize = 0;
        settings.Pooling = true;
        settings.Multiplexing = false;
        settings.Enlist = false;
        _bare = Bare(settings);

        // The settings below are those of a connection for as long as it lives, which a reset between two uses would take away.
        settings.NoResetOnClose = true;
        settings.TcpKeepAlive = true;
        settings.TcpKeepAliveTime = SilenceSeconds / 2;
        settings.TcpKeepAliveInterval = 1;
        settings.MaxAutoPrepare = Math.Max(settings.MaxAutoPrepare, 200);
        settings.AutoPrepareMinUsages = 2;
        _source = Build(settings, Settings() + PlannerSettings + WriterSettings);

        // A pool of their own, so that no number of reads keeps a writer from its connection.
        settings.MaxPoolSize = options.ReaderConnections;
        _reading = new SemaphoreSlim(options.ReaderConnections);
        _longestWait = settings.Timeout > 0 ? TimeSpan.FromSeconds(settings.Timeout) : Timeout.InfiniteTimeSpan;
        _readers = Build(settings, Settings() + PlannerSettings);
    }

    public PostgreSqlTaskStoreOptions Options { get; }

    public string Schema => Options.Schema;

    /// <summary>Gets the server and the database, fit to be shown.</summary>
    public string Place { get; }

    public async ValueTask<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await OpenAsync(_source, cancellationToken).ConfigureAwait(false);
        }
        catch (NpgsqlException e)
        {
            throw StoreFaults.From(e, Place, notCommitted: true);
        }
    }

    /// <summary>Opens a connection on the calling thread, which is a writer's own.</summary>
    /// <exception cref="NpgsqlException">The database cannot be reached, or lets nobody in.</exception>
    public NpgsqlConnection Open()
    {
        var turn = _gate.Enter();
        try
        {
            var connection = _source.OpenConnection();
            _gate.Opened();
            return connection;
        }
        catch (Exception e) when (ConnectGate.IsOfConnecting(e))
        {
            throw _gate.Failed(turn, e);
        }
    }

    /// <summary>Takes a connection that reads. Whoever waits for one finds out, when it is its turn, whether the database went away meanwhile.</summary>
    /// <exception cref="NpgsqlException">The database cannot be reached or lets nobody in, or no connection was free for too long.</exception>
    public async ValueTask<ReaderConnection> OpenReaderAsync(CancellationToken cancellationToken)
    {
        if (!await _reading.WaitAsync(_longestWait, cancellationToken).ConfigureAwait(false))
        {
            throw new NoReaderException(Options.ReaderConnections, _longestWait);
        }

        try
        {
            return new ReaderConnection(await OpenAsync(_readers, cancellationToken).ConfigureAwait(false), _reading);
        }
        catch
        {
            _reading.Release();
            throw;
        }
    }

    /// <summary>Makes a statement that reads.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="sql">One of a bounded number of texts, for it is remembered; <c>{schema}</c> in it is the schema of the store.</param>
    /// <param name="values">Its values, by place.</param>
    public NpgsqlCommand CreateCommand(ReaderConnection connection, string sql, IEnumerable<NpgsqlParameter> values)
    {
        var command = new NpgsqlCommand(InSchema(sql), connection.Inner);
        command.Parameters.AddRange(values.ToArray());
        return command;
    }

    /// <summary>Makes statements as <see cref="CreateCommand"/> does, which are sent as one and are one transaction.</summary>
    public NpgsqlBatch CreateBatch(ReaderConnection connection, params IEnumerable<(string Sql, NpgsqlParameter[] Values)> statements)
    {
        var batch = new NpgsqlBatch(connection.Inner);
        foreach (var (sql, values) in statements)
        {
            var command = new NpgsqlBatchCommand(InSchema(sql));
            command.Parameters.AddRange(values);
            batch.BatchCommands.Add(command);
        }

        return batch;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var source in _built)
        {
            await source.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Reads a connection string.</summary>
    /// <exception cref="ArgumentException">It cannot be used; the message does not quote it.</exception>
    internal static NpgsqlConnectionStringBuilder Parse(string connectionString)
    {
        NpgsqlConnectionStringBuilder settings;
        try
        {
            settings = new NpgsqlConnectionStringBuilder(connectionString);
        }
        catch (Exception e) when (e is ArgumentException or FormatException or OverflowException or InvalidCastException)
        {
            throw Unusable(nameof(connectionString), "It cannot be read.");
        }

        if (string.IsNullOrWhiteSpace(settings.Host))
        {
            throw Unusable(nameof(connectionString), "It names no host.");
        }

        return settings.Port <= ushort.MaxValue ? settings : throw Unusable(nameof(connectionString), "There is no such port.");
    }

    /// <summary>The server and the database, fit to be shown.</summary>
    internal static string PlaceOf(NpgsqlConnectionStringBuilder settings) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{settings.Host}{(NamesPorts(settings.Host!) ? "" : $":{settings.Port}")}/{settings.Database ?? settings.Username}");

    // Of several servers each may have its own.
    private static bool NamesPorts(string host) => host.Contains(',', StringComparison.Ordinal) && host.Contains(':', StringComparison.Ordinal);

    // What the driver says of it may quote it, and that may hold a password.
    private static ArgumentException Unusable(string parameter, string why) => new(
        $"The connection string cannot be used. {why} Its form is 'Host=…;Database=…;Username=…;Password=…'.", parameter);

    private static string Settings() => string.Create(CultureInfo.InvariantCulture, $"""
        SET idle_in_transaction_session_timeout = '{SilenceSeconds}s';
        SET tcp_keepalives_idle = {SilenceSeconds / 2};
        SET tcp_keepalives_interval = 1;
        SET tcp_keepalives_count = {SilenceSeconds / 2};
        SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';
        """);

    private static string Bare(NpgsqlConnectionStringBuilder settings)
    {
        var bare = new NpgsqlConnectionStringBuilder(settings.ConnectionString) { Pooling = false, MaxAutoPrepare = 0 };
        if (settings.Host!.Contains(',', StringComparison.Ordinal))
        {
            bare.TargetSessionAttributes = "primary";
        }

        return bare.ConnectionString;
    }

    private static void SetUp(NpgsqlConnection connection, string sql)
    {
        using var command = new NpgsqlCommand(sql, connection);
        command.ExecuteNonQuery();
    }

    private static async Task SetUpAsync(NpgsqlConnection connection, string sql)
    {
        var command = new NpgsqlCommand(sql, connection);
        await using (command.ConfigureAwait(false))
        {
            await command.ExecuteNonQueryAsync().ConfigureAwait(false);
        }
    }

    private async ValueTask<NpgsqlConnection> OpenAsync(NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        var turn = _gate.Enter();
        try
        {
            var connection = await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
            _gate.Opened();
            return connection;
        }
        catch (Exception e) when (ConnectGate.IsOfConnecting(e))
        {
            throw _gate.Failed(turn, e);
        }
        catch
        {
            _gate.GivenUp(turn);
            throw;
        }
    }

    // Before anything is set: where sessions are shared it would stay with the server process, for whatever program has it next.
    private async Task RefuseSharedAsync(NpgsqlConnection connection)
    {
        if (!_hasOwnSessions && await PoolerCheck.SharesSessionsAsync(connection, _bare).ConfigureAwait(false))
        {
            throw StoreFaults.Pooled(Place);
        }

        _hasOwnSessions = true;
    }

    // Of several servers, the one that takes writes; reads go there too, for they are to see what was written.
    private NpgsqlDataSource Build(NpgsqlConnectionStringBuilder settings, string sql)
    {
        var isOneServer = !settings.Host!.Contains(',', StringComparison.Ordinal);
        if (!isOneServer)
        {
            settings.TargetSessionAttributes = null;
        }

        var builder = new NpgsqlDataSourceBuilder(settings.ConnectionString);
        builder.UsePhysicalConnectionInitializer(connection => SetUp(connection, sql), async connection =>
        {
            await RefuseSharedAsync(connection).ConfigureAwait(false);
            await SetUpAsync(connection, sql).ConfigureAwait(false);
        });
        NpgsqlDataSource built = isOneServer ? builder.Build() : builder.BuildMultiHost();
        _built.Add(built);
        return built is NpgsqlMultiHostDataSource servers ? servers.WithTargetSession(TargetSessionAttributes.Primary) : built;
    }

    private string InSchema(string sql) => _statements.GetOrAdd(sql, static (text, schema) => text.Replace("{schema}", schema, StringComparison.Ordinal), Schema);
}
