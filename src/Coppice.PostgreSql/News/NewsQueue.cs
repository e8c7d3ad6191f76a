namespace Coppice.PostgreSql;

/// <summary>
/// News that waits to be sent. What says the same twice is kept once: work of a kind, mail of a thread. When too much waits, all of it is dropped, and what is
/// sent instead is that it was.
/// </summary>
internal sealed class NewsQueue(int most = NewsQueue.Most)
{
    internal const int Most = 10_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<(NewsKind, long, string), int> _places = [];
    private List<NewsItem> _items = [];

    public bool IsEmpty
    {
        get
        {
            lock (_gate)
            {
                return _items.Count == 0;
            }
        }
    }

    public void Add(IEnumerable<NewsItem> items)
    {
        lock (_gate)
        {
            foreach (var item in items)
            {
                Add(item);
            }
        }
    }

    /// <summary>Takes all of it, in order.</summary>
    public IReadOnlyList<NewsItem> Take()
    {
        lock (_gate)
        {
            var taken = _items;
            _items = [];
            _places.Clear();
            return taken;
        }
    }

    private void Add(NewsItem item)
    {
        if (KeyOf(item) is { } key)
        {
            if (_places.TryGetValue(key, out var place))
            {
                _items[place] = Both(_items[place], item);
                return;
            }

            _places.Add(key, _items.Count);
        }

        if (_items.Count >= most)
        {
            _items.Clear();
            _places.Clear();
            _items.Add(NewsItem.OfDropped());
            return;
        }

        _items.Add(item);
    }

    private static (NewsKind, long, string)? KeyOf(NewsItem item) => item.Kind switch
    {
        NewsKind.Work => (item.Kind, item.Second, item.Text),
        NewsKind.Mail => (item.Kind, item.First, item.Text),
        _ => null,
    };

    // Of two times the earlier; of mail, whether any of it wakes.
    private static NewsItem Both(NewsItem one, NewsItem other) => one.Kind == NewsKind.Work
        ? one with { First = Math.Min(one.First, other.First) }
        : NewsItem.OfMail(one.First, one.Text, one.Wakes || other.Wakes, other.HasReader);
}
