using System.Runtime.InteropServices;

namespace Coppice.Rows;

/// <summary>What listeners hear of a group of batches once it is committed, in order. One list serves all groups in turn.</summary>
/// <remarks>
/// Changes of tasks are noted also while nobody watches: whoever begins to before the commit can be seen still reads what was before, and
/// relies on hearing of it. What is noted costs a place in the list; only what is told is read and made into a <see cref="TaskChange"/>.
/// </remarks>
internal sealed class Notices
{
    private const int PlacesKept = 4096;

    private readonly List<Entry> _entries = [];

    public int Count => _entries.Count;

    public IReadOnlyList<Entry> Entries => _entries;

    public void Add(Notice notice) => _entries.Add(new Entry(notice));

    /// <summary>Notes a change of a task.</summary>
    /// <param name="revision">The revision of the batch.</param>
    /// <param name="kind">What happened.</param>
    /// <param name="number">The task.</param>
    /// <param name="task">The task right after it; <see langword="null"/> to read it when somebody is told.</param>
    /// <param name="mail">What the task emitted, when that is what happened.</param>
    /// <param name="sequence">The place of that in the mailbox of the task's owner.</param>
    public void AddChange(long revision, TaskChangeKind kind, long number, TaskSnapshot? task, CustomTaskEvent? mail, long sequence) =>
        _entries.Add(new Entry(Notice: null, revision, kind, number, task, mail, sequence));

    /// <summary>Raises the revisions of all changes.</summary>
    public void RaiseRevisions(long by)
    {
        foreach (ref var entry in CollectionsMarshal.AsSpan(_entries))
        {
            if (entry.Notice is null)
            {
                entry = entry with { Revision = entry.Revision + by };
            }
        }
    }

    /// <summary>Forgets what was added beyond a count.</summary>
    public void CutTo(int count) => _entries.RemoveRange(count, _entries.Count - count);

    /// <summary>
    /// Leaves out that work may be claimed of a kind of which none can, because the same group gave it away, and says it of the others
    /// once.
    /// </summary>
    public void CutWork(IKindRows kinds)
    {
        HashSet<string>? told = null;
        _entries.RemoveAll(entry => entry.Notice is Notice.Work { At: null, Kind: var kind } && !IsNews(kind));

        bool IsNews(string kind) =>
            kinds.Find(kind) is { } number && kinds.HasReady(number) && (told ??= new(StringComparer.Ordinal)).Add(kind);
    }

    /// <summary>Reads the tasks that are not known yet, because they may be about to go.</summary>
    public void ReadTasks(Func<long, TaskSnapshot?> read)
    {
        for (var i = 0; i < _entries.Count; i++)
        {
            if (_entries[i] is { Notice: null, Task: null } unread)
            {
                _entries[i] = unread with { Task = read(unread.Number) };
            }
        }
    }

    /// <summary>Tells all of it, and forgets it. The transaction has landed.</summary>
    public void Tell(Listeners listeners, Func<long, TaskSnapshot?> read)
    {
        foreach (var entry in _entries)
        {
            if (entry.Notice is { } notice)
            {
                listeners.Tell(notice);
            }
            else if (listeners.WantChanges && ChangeOf(entry, read) is { } change)
            {
                listeners.Tell(change);
            }
        }

        Clear();
    }

    public void Clear()
    {
        _entries.Clear();
        if (_entries.Capacity > PlacesKept)
        {
            _entries.Capacity = PlacesKept;
        }
    }

    private static TaskChange? ChangeOf(in Entry entry, Func<long, TaskSnapshot?> read)
    {
        try
        {
            return (entry.Task ?? read(entry.Number)) is { } task
                ? new TaskChange(entry.Revision, entry.Kind, task, entry.Mail)
                : null;
        }
#pragma warning disable CA1031 // the commit has landed: its callers have to be answered and the next one has to go on
        catch (Exception)
#pragma warning restore CA1031
        {
            // A row that cannot be read right after its commit cannot be read by the watcher either.
            return null;
        }
    }

    /// <summary>A notice, or the change of a task where that is <see langword="null"/>.</summary>
    internal readonly record struct Entry(
        Notice? Notice,
        long Revision = 0,
        TaskChangeKind Kind = default,
        long Number = 0,
        TaskSnapshot? Task = null,
        CustomTaskEvent? Mail = null,
        long Sequence = 0);
}
