using System.Text;

namespace Coppice.PostgreSql;

/// <summary>
/// Makes what listeners of this process hear of a transaction into news for other processes: only what somebody else has to hear, and for the host that has
/// to where it is one. Used before the transaction lands, while it holds what it asks about.
/// </summary>
internal sealed class NewsWriter(HostRows hosts, ThreadRows threads, Listeners listeners)
{
    private readonly List<NewsItem> _items = [];

    /// <summary>What others have to hear; nothing where there are none.</summary>
    /// <param name="notices">What listeners of this process hear.</param>
    public IReadOnlyList<NewsItem> Write(Notices notices)
    {
        if (hosts.Others.Count == 0)
        {
            return [];
        }

        _items.Clear();
        var ended = new HashSet<long>();
        foreach (var entry in notices.Entries)
        {
            if (entry.Notice is { } notice)
            {
                Add(notice, ended);
                continue;
            }

            _items.Add(entry.Mail is { } mail
                ? NewsItem.OfEmitted(entry.Revision, entry.Number, entry.Sequence, Short(MailEventJson.Serialize(mail)))
                : NewsItem.OfChange(entry.Revision, entry.Kind, entry.Number));
            if (entry.Kind == TaskChangeKind.Ended)
            {
                ended.Add(entry.Number);
            }
        }

        _items.AddRange(hosts.Joined.Select(static fence => NewsItem.OfJoined(fence.Epoch)));
        return [.. _items];
    }

    private static string Short(string json) => Encoding.UTF8.GetByteCount(json) <= NewsText.MaxJsonBytes ? json : "";

    private void Add(Notice notice, HashSet<long> ended)
    {
        switch (notice)
        {
            case Notice.CancelRequested cancel when IsOthers(cancel.OwnerEpoch):
                _items.Add(NewsItem.OfCancel(cancel.OwnerEpoch, cancel.TaskId));
                break;

            // The change says it too, of a task whose id can be told from its number.
            case Notice.Ended end when !(TaskIds.TryParse(end.TaskId, out var number) && ended.Contains(number)):
                _items.Add(NewsItem.OfEnded(end.TaskId));
                break;
            case Notice.Mail mail:
                AddMail(mail);
                break;
            case Notice.MailboxOpened opened when Entry(opened.ThreadId)?.ReaderEpochBefore is { } before && IsOthers(before):
                _items.Add(NewsItem.OfOpened(before, opened.ThreadId));
                break;
            case Notice.MailLeftUnread left when ChooseHandler(left.ThreadId) is { } epoch:
                _items.Add(NewsItem.OfLeftUnread(epoch, left.ThreadId));
                break;
            case Notice.Work work:
                _items.Add(NewsItem.OfWork(work.Kind, work.At));
                break;
            case Notice.HostFenced fenced:
                _items.Add(NewsItem.OfFenced(fenced.Fence));
                break;
            default:
                break;
        }
    }

    private void AddMail(Notice.Mail mail)
    {
        if (Entry(mail.ThreadId) is { Reader: not null } entry)
        {
            if (IsOthers(entry.ReaderEpoch))
            {
                _items.Add(NewsItem.OfMail(entry.ReaderEpoch, mail.ThreadId, mail.Wakes, hasReader: true));
            }
        }
        else if (mail is { Wakes: true, HasReader: false } && ChooseHandler(mail.ThreadId) is { } epoch)
        {
            _items.Add(NewsItem.OfMail(epoch, mail.ThreadId, wakes: true, hasReader: false));
        }
    }

    private bool IsOthers(long epoch) => hosts.Others.Any(host => host.Epoch == epoch);

    private long? ChooseHandler(string threadId) => listeners.HandleUnreadMail
        ? null
        : Rendezvous.Choose(threadId, hosts.Others.Where(static host => host.HandlesUnread).Select(static host => host.Epoch));

    private ThreadEntry? Entry(string threadId) => threads.Find(threadId) is { } number ? threads.Entry(number) : null;
}
