using System.Collections.Concurrent;

namespace Coppice.Sqlite;

/// <summary>
/// Which mailboxes are open. Only in memory: a store has one process, and with it go its readers. The writer sees what its transaction
/// has opened and closed; everybody else sees it once that is committed.
/// </summary>
internal sealed class Mailboxes(UndoLog undo)
{
    private readonly ConcurrentDictionary<string, MailboxReader> _open = new(StringComparer.Ordinal);
    private readonly Dictionary<string, MailboxReader?> _staged = new(StringComparer.Ordinal);

    /// <summary>The mailbox as committed.</summary>
    public MailboxReader? FindCommitted(string threadId) => _open.GetValueOrDefault(threadId);

    /// <summary>The mailbox as the writer's transaction has it.</summary>
    public MailboxReader? Find(string threadId) =>
        _staged.Count > 0 && _staged.TryGetValue(threadId, out var staged) ? staged : _open.GetValueOrDefault(threadId);

    /// <summary>The mailboxes of a host, as the writer's transaction has them.</summary>
    public List<KeyValuePair<string, MailboxReader>> OfHost(long epoch) =>
    [
        .. _open.Where(entry => entry.Value.HostEpoch == epoch && !_staged.ContainsKey(entry.Key)),
        .. _staged.Where(entry => entry.Value?.HostEpoch == epoch).Select(entry => KeyValuePair.Create(entry.Key, entry.Value!)),
    ];

    public void Set(string threadId, MailboxReader? mailbox)
    {
        var wasStaged = _staged.TryGetValue(threadId, out var before);
        _staged[threadId] = mailbox;
        undo.Add(() =>
        {
            if (wasStaged)
            {
                _staged[threadId] = before;
            }
            else
            {
                _staged.Remove(threadId);
            }
        });
    }

    /// <summary>Makes the transaction's changes everybody's.</summary>
    public void Publish()
    {
        foreach (var (threadId, mailbox) in _staged)
        {
            if (mailbox is null)
            {
                _open.TryRemove(threadId, out _);
            }
            else
            {
                _open[threadId] = mailbox;
            }
        }

        _staged.Clear();
    }
}
