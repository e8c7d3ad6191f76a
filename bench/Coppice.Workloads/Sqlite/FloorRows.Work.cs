using System.Diagnostics.CodeAnalysis;

namespace Coppice.Workloads;

/// <content>What a task of a registered kind has more than another. There is one kind, and lanes of one priority and version.</content>
internal sealed partial class FloorRows
{
    private const long Kind = 1;

    private readonly Dictionary<long, FloorLane> _lanes = [];
    private readonly HashSet<FloorLane> _changedLanes = [];
    private RawStatement _addKind;
    private RawStatement _addPending;
    private RawStatement _addWork;
    private RawStatement _addInput;
    private RawStatement _beginTask;
    private RawStatement _beginWork;
    private RawStatement _endResult;
    private RawStatement _endWork;
    private RawStatement _addLane;
    private RawStatement _saveLane;
    private RawStatement _removeLane;
    private RawStatement _saveKind;
    private RawStatement _addStep;
    private long _lastClaim;
    private long _lastTurn;

    internal long SpawnWork(long thread)
    {
        _revision++;
        if (_next == 0)
        {
            _addKind.Run();
        }

        _addPending.Bind(1, _next).Bind(2, thread).Bind(3, Now()).Run();
        var lane = Lane(thread);
        if (lane.Ready++ == 0)
        {
            lane.Turn = ++_lastTurn;
        }

        _addWork.Bind(1, _next).Bind(2, lane.Number).Bind(3, ++_lastTurn).Run();
        _addInput.Bind(1, _next).Bind(2, "1234"u8).Run();
        return _next++;
    }

    internal void ClaimWork(long task, long thread)
    {
        _revision++;
        var lane = Lane(thread);
        (lane.Ready, lane.Running, lane.Turn) = (lane.Ready - 1, lane.Running + 1, ++_lastTurn);
        _beginWork.Bind(1, ++_lastClaim).Bind(2, task).Run();
        _beginTask.Bind(1, task).Run();
    }

    internal void FinishWork(long task, long thread)
    {
        _revision++;
        Lane(thread).Running--;
        _endWork.Bind(1, task).Run();
        _endResult.Bind(1, Now()).Bind(2, task).Run();
        Post(thread, Json(task, "\",\"result\":1234}"u8));
    }

    /// <summary>Writes the row of one step, in a transaction of its own.</summary>
    internal void WriteStep(int place)
    {
        _begin.Run();
        _addStep.Bind(1, place).Run();
        _commit.Run();
    }

    [MemberNotNull(
        nameof(_addKind), nameof(_addPending), nameof(_addWork), nameof(_addInput), nameof(_beginTask), nameof(_beginWork), nameof(_endResult),
        nameof(_endWork), nameof(_addLane), nameof(_saveLane), nameof(_removeLane), nameof(_saveKind),
        nameof(_addStep))]
    private void PrepareWork()
    {
        _addKind = _database.Prepare("INSERT INTO kinds (name) VALUES ('echo')");
        _addPending = _database.Prepare(
            "INSERT INTO tasks (n, owner, state, created_ms, host_epoch, agent_open, kind, type, description) VALUES (?, ?, 0, ?, 0, 0, 1, 'echo', '')");
        _addWork = _database.Prepare(
            """
            INSERT INTO work (n, lane, version, recovery, max_crashes, priority, attempt, failures, crashes, rank)
            VALUES (?, ?, 1, 0, 3, 0, 0, 0, 0, ?)
            """);
        _addInput = _database.Prepare("INSERT INTO inputs (n, json) VALUES (?, ?)");
        _beginTask = _database.Prepare("UPDATE tasks SET state = 1, host_epoch = 1, events_through = 0 WHERE n = ?");
        _beginWork = _database.Prepare("UPDATE work SET attempt = 1, claim = ?, rank = NULL WHERE n = ?");
        _endResult = _database.Prepare("UPDATE tasks SET state = 3, completed_ms = ?, error = NULL, result = '1234', agent_open = 0 WHERE n = ?");
        _endWork = _database.Prepare("UPDATE work SET rank = NULL, due_ms = NULL, expires_ms = NULL, has_steps = 0, has_checkpoint = 0 WHERE n = ?");
        _addLane = _database.Prepare("INSERT INTO lanes (n, kind, running, ready, priority, version, turn) VALUES (?, 1, ?, ?, 0, 1, ?)");
        _saveLane = _database.Prepare("UPDATE lanes SET running = ?, ready = ?, priority = 0, version = 1, turn = ? WHERE n = ?");
        _removeLane = _database.Prepare("DELETE FROM lanes WHERE n = ?");
        _addStep = _database.Prepare("INSERT INTO steps (task, place, name, key, after, is_fork, result) VALUES (1, ?1, 'step-' || ?1, '', 'step-' || (?1 - 1), 0, '1234')");
        _saveKind = _database.Prepare("UPDATE kinds SET running = ?, ready = ? WHERE n = 1");
    }

    /// <summary>Writes the lanes that changed, and the kind.</summary>
    private void SaveLanes()
    {
        if (_changedLanes.Count == 0)
        {
            return;
        }

        foreach (var lane in _changedLanes)
        {
            if (lane.Running == 0 && lane.Ready == 0)
            {
                _lanes.Remove(lane.Thread);
                if (lane.IsStored)
                {
                    _removeLane.Bind(1, lane.Number).Run();
                }
            }
            else if (lane.IsStored)
            {
                _saveLane.Bind(1, lane.Running).Bind(2, lane.Ready).Bind(3, lane.Turn).Bind(4, lane.Number).Run();
            }
            else
            {
                lane.IsStored = true;
                _addLane.Bind(1, lane.Number).Bind(2, lane.Running).Bind(3, lane.Ready).Bind(4, lane.Turn).Run();
            }
        }

        _changedLanes.Clear();
        _saveKind.Bind(1, _lanes.Values.Sum(static lane => lane.Running)).Bind(2, _lanes.Values.Sum(static lane => lane.Ready)).Run();
    }

    private FloorLane Lane(long thread)
    {
        if (!_lanes.TryGetValue(thread, out var lane))
        {
            lane = _lanes[thread] = new FloorLane(thread, (Kind << 28) | thread);
        }

        _changedLanes.Add(lane);
        return lane;
    }

    private sealed class FloorLane(long thread, long number)
    {
        internal long Thread { get; } = thread;

        internal long Number { get; } = number;

        internal int Running { get; set; }

        internal int Ready { get; set; }

        internal long Turn { get; set; }

        internal bool IsStored { get; set; }
    }
}
