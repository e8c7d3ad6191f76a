using Microsoft.Extensions.Logging;

namespace Coppice.PostgreSql;

/// <summary>Tells the listeners of this process what others have sent.</summary>
internal sealed class NewsReader(StoreReader reader, StoreMemory memory, Listeners listeners, ILogger logger)
{
    private const int MostProcesses = 1024;

    private readonly Dictionary<long, HeardProcess> _heard = [];
    private readonly List<NewsItem> _changes = [];
    private readonly HashSet<string> _opened = new(StringComparer.Ordinal);

    /// <summary>Gets or sets who is told that hosts have joined or gone.</summary>
    internal Action<NewsItem>? OnHost { get; set; }

    /// <summary>Gets or sets who is told the numbers of this process's own pages.</summary>
    internal Action<long>? OnOwn { get; set; }

    /// <summary>Tells what stands on some pages, and first, where something is missing, that changes are.</summary>
    /// <param name="pages">The pages, in order.</param>
    /// <param name="hasMissed">Whether others may have been missed before them.</param>
    /// <param name="stop">Stops it.</param>
    /// <returns>Whether something is missing: a page, or what stood on one.</returns>
    public async Task<bool> TellAsync(IEnumerable<string> pages, bool hasMissed, CancellationToken stop)
    {
        foreach (var text in pages)
        {
            hasMissed |= !Tell(text);
        }

        if (hasMissed)
        {
            listeners.Tell(new Notice.ChangesMissed());
        }

        await TellOpenedAsync(stop).ConfigureAwait(false);
        await TellChangesAsync(stop).ConfigureAwait(false);
        return hasMissed;
    }

    private bool Tell(string text)
    {
        // Not by a process of the schema, but to have the reader look up.
        if (text.Length == 0)
        {
            return true;
        }

        if (!NewsText.TryRead(text, out var page))
        {
            return false;
        }

        if (page.Process == memory.Channel.Process)
        {
            OnOwn?.Invoke(page.Number);
            return true;
        }

        NewsMetrics.Heard();

        var place = Process(page.Process).Take(page.Number, text);
        if (place == PagePlace.Again)
        {
            return true;
        }

        var isDropped = false;
        foreach (var item in page.Items)
        {
            isDropped |= item.Kind == NewsKind.Dropped;
            if (item.For is not { } epoch || memory.Hosts.Has(epoch))
            {
                Tell(item);
            }
        }

        if (isDropped)
        {
            NewsMetrics.Missed("dropped");
            Log.NewsMissing(logger, "a process had more to tell than it could send");
        }
        else if (place == PagePlace.AfterGap)
        {
            NewsMetrics.Missed("gap");
            Log.NewsMissing(logger, "what a process sent before the last did not come");
        }

        return place == PagePlace.Next && !isDropped;
    }

    private HeardProcess Process(long process)
    {
        if (_heard.TryGetValue(process, out var known))
        {
            return known;
        }

        // Processes come and go; a page of one that was forgotten reads as its first.
        if (_heard.Count >= MostProcesses)
        {
            _heard.Clear();
        }

        return _heard[process] = new HeardProcess();
    }

    private void Tell(NewsItem item)
    {
        switch (item.Kind)
        {
            case NewsKind.Cancel:
                listeners.Tell(new Notice.CancelRequested(item.Text, item.First));
                break;
            case NewsKind.Ended:
                listeners.Tell(new Notice.Ended(item.Text));
                break;
            case NewsKind.Mail:
                listeners.Tell(new Notice.Mail(item.Text, item.Wakes, item.HasReader));
                break;
            case NewsKind.Opened:
                _opened.Add(item.Text);
                break;
            case NewsKind.LeftUnread:
                listeners.Tell(new Notice.MailLeftUnread(item.Text));
                break;
            case NewsKind.Work:
                listeners.Tell(new Notice.Work(item.Text, item.At));
                break;
            case NewsKind.Fenced:
                listeners.Tell(new Notice.HostFenced(item.Fence));
                break;
            case NewsKind.Joined:
                OnHost?.Invoke(item);
                break;
            case NewsKind.Change:
                TellChange(item);
                break;
            default:
                break;
        }
    }

    private void TellChange(NewsItem item)
    {
        if (item.Change == TaskChangeKind.Ended && item.Task < TaskRow.FirstForeign)
        {
            listeners.Tell(new Notice.Ended(TaskIds.Format(item.Task)));
        }

        if (listeners.WantChanges)
        {
            _changes.Add(item);
        }
    }

    /// <summary>Asks who has the mailboxes now: the news may be older than what has happened here since.</summary>
    private async Task TellOpenedAsync(CancellationToken stop)
    {
        if (_opened.Count == 0)
        {
            return;
        }

        var readers = memory.Readers.All().Where(each => _opened.Contains(each.ThreadId)).ToList();
        _opened.Clear();
        try
        {
            foreach (var taken in await reader.FindTakenOverAsync(readers, memory.Channel.Process, stop).ConfigureAwait(false))
            {
                taken.Tell(memory.Readers, listeners);
            }
        }
        catch (TaskStoreException)
        {
            // The next look finds it.
        }
    }

    /// <summary>Reads the tasks that have changed, and tells of those changes that came together in the order of their revisions.</summary>
    private async Task TellChangesAsync(CancellationToken stop)
    {
        if (_changes.Count == 0)
        {
            return;
        }

        var changes = _changes.OrderBy(static change => change.Revision).ToList();
        _changes.Clear();
        Dictionary<long, TaskSnapshot> tasks = [];
        Dictionary<(long, long), string> events = [];
        try
        {
            events = await reader.ReadEmittedAsync(
                [.. changes.Where(static change => change is { Change: TaskChangeKind.Emitted, Json: "" })], stop).ConfigureAwait(false);
            tasks = await reader.GetAllAsync([.. changes.Select(static change => change.Task).Distinct()], stop).ConfigureAwait(false);
        }
        catch (TaskStoreException)
        {
            // Then they are missing.
        }

        foreach (var change in changes)
        {
            var json = change.Json.Length > 0 ? change.Json : events.GetValueOrDefault((change.Task, change.Sequence), "");
            if (tasks.TryGetValue(change.Task, out var task) && TryRead(change, json, out var mail))
            {
                listeners.Tell(new TaskChange(change.Revision, change.Change, task, mail));
            }
            else
            {
                listeners.Tell(new Notice.ChangesMissed());
            }
        }
    }

    private static bool TryRead(NewsItem change, string json, out CustomTaskEvent? mail)
    {
        mail = null;
        if (change.Change != TaskChangeKind.Emitted)
        {
            return true;
        }

        try
        {
            mail = json.Length > 0 ? MailEventJson.Deserialize(json) as CustomTaskEvent : null;
        }
        catch (System.Text.Json.JsonException)
        {
            // Somebody else's text.
        }

        return mail is not null;
    }
}
