using System.Buffers.Text;
using System.Text;

namespace Coppice.Workloads;

/// <summary>
/// Writes what the store writes for a spawn and for a finish. The file, with its tables and indexes, is one that the store itself made;
/// <see cref="FloorAgreement"/> fails when the rows are not the store's any more.
/// </summary>
internal sealed partial class FloorRows : IFloorRows, IDisposable
{
    private readonly RawDatabase _database;
    private readonly RawStatement _begin;
    private readonly RawStatement _commit;
    private readonly RawStatement _addTask;
    private readonly RawStatement _endTask;
    private readonly RawStatement _saveThread;
    private readonly RawStatement _wake;
    private readonly RawStatement _addMail;
    private readonly RawStatement _meta;
    private readonly Dictionary<long, long> _lastSequence = [];
    private readonly HashSet<long> _changedThreads = [];
    private readonly byte[] _json = new byte[128];
    private long _next;
    private long _revision;
    private long _mailDepth;

    private FloorRows(string path)
    {
        _database = new RawDatabase(path);
        _database.Execute("PRAGMA journal_mode = WAL");
        _database.Execute("PRAGMA foreign_keys = OFF");
        _database.Execute("PRAGMA temp_store = MEMORY");
        _database.Execute("PRAGMA cache_size = -16384");
        _database.Execute("PRAGMA synchronous = FULL");
        _database.Execute("PRAGMA wal_autocheckpoint = 4000");
        _begin = _database.Prepare("BEGIN IMMEDIATE");
        _commit = _database.Prepare("COMMIT");
        _addTask = _database.Prepare(
            "INSERT INTO tasks (n, owner, state, created_ms, host_epoch, agent_open, type, description) VALUES (?, ?, 1, ?, 1, 0, 'task', '')");
        _endTask = _database.Prepare("UPDATE tasks SET state = 3, completed_ms = ?, error = NULL, result = NULL, agent_open = 0 WHERE n = ?");
        _saveThread = _database.Prepare("UPDATE threads SET last_seq = ?1, acked = 0, customs = 0, terminals = ?1, messages = 0 WHERE n = ?2");
        _wake = _database.Prepare("UPDATE threads SET wakes = 1 WHERE n = ?");
        _addMail = _database.Prepare("INSERT INTO mail (place, class, task, json) VALUES (? << 35 | ?, 1, NULL, ?)");
        _meta = _database.Prepare("UPDATE meta SET revision = ?, next_task = ?, next_epoch = 2, mail_depth = ?, last_claim = ?, last_turn = ?");
        PrepareWork();
    }

    /// <summary>Has the store make the file, and opens it.</summary>
    internal static async Task<FloorRows> CreateAsync(string path)
    {
        await using (await SqliteTaskStore.OpenAsync(path))
        {
        }

        var rows = new FloorRows(path);
        rows.GrowLog();
        return rows;
    }

    public void Begin() => _begin.Run();

    /// <summary>Lets the log have its full size from the start, as the store does: a commit that makes the file longer costs twice as much.</summary>
    private void GrowLog()
    {
        _database.Execute("CREATE TABLE room (x)");
        _database.Execute("INSERT INTO room VALUES (zeroblob(17825792))");
        _database.Execute("DROP TABLE room");
        _database.Execute("PRAGMA wal_checkpoint(RESTART)");
    }

    /// <summary>Writes the threads, the lanes and the counters, which the store does once a transaction, and commits.</summary>
    public void Commit()
    {
        foreach (var thread in _changedThreads)
        {
            _saveThread.Bind(1, _lastSequence[thread]).Bind(2, thread).Run();
        }

        _changedThreads.Clear();
        SaveLanes();
        _meta.Bind(1, _revision).Bind(2, _next).Bind(3, _mailDepth).Bind(4, _lastClaim).Bind(5, _lastTurn).Run();
        _commit.Run();
    }

    public long ThreadNumber(string id)
    {
        using var find = _database.Prepare("SELECT n FROM threads WHERE id = ?");
        if (!find.Bind(1, Encoding.UTF8.GetBytes(id)).Step())
        {
            using var add = _database.Prepare("INSERT INTO threads (id) VALUES (?)");
            add.Bind(1, Encoding.UTF8.GetBytes(id)).Run();
            return ThreadNumber(id);
        }

        var number = SQLitePCL.raw.sqlite3_column_int64(find.Handle, 0);
        _lastSequence.TryAdd(number, 0);
        return number;
    }

    public long Spawn(long thread)
    {
        _revision++;
        _addTask.Bind(1, _next).Bind(2, thread).Bind(3, Now()).Run();
        return _next++;
    }

    public void Finish(long task, long thread)
    {
        _revision++;
        _endTask.Bind(1, Now()).Bind(2, task).Run();
        Post(thread, Json(task, "\"}"u8));
    }

    private void Post(long thread, ReadOnlySpan<byte> json)
    {
        _mailDepth++;
        var sequence = ++_lastSequence[thread];
        _changedThreads.Add(thread);
        if (sequence == 1)
        {
            _wake.Bind(1, thread).Run();
        }

        _addMail.Bind(1, thread).Bind(2, sequence).Bind(3, json).Run();
    }

    public void Dispose() => _database.Dispose();

    private ReadOnlySpan<byte> Json(long task, ReadOnlySpan<byte> tail)
    {
        var head = "{\"kind\":\"completed\",\"task_id\":\"bg_"u8;
        head.CopyTo(_json);
        Utf8Formatter.TryFormat(task, _json.AsSpan(head.Length), out var digits);
        tail.CopyTo(_json.AsSpan(head.Length + digits));
        return _json.AsSpan(0, head.Length + digits + tail.Length);
    }

    private static long Now() => TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
}
