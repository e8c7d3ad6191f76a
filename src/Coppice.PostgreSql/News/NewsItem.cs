using System.Globalization;

namespace Coppice.PostgreSql;

/// <summary>A piece of news for other processes. What its fields are depends on its kind; the methods that make one say it.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="First">A whole number.</param>
/// <param name="Second">Another one.</param>
/// <param name="Text">An id or a name.</param>
/// <param name="Json">What a task emitted.</param>
internal readonly record struct NewsItem(NewsKind Kind, long First, long Second, string Text, string Json = "")
{
    private const long WakesFlag = 1;
    private const long HasReaderFlag = 2;
    private const char FirstChange = '0';

    /// <summary>Gets the host that it is for; it is for all where there is none.</summary>
    public long? For => Kind is NewsKind.Cancel or NewsKind.Mail or NewsKind.Opened or NewsKind.LeftUnread ? First : null;

    public bool Wakes => (Second & WakesFlag) != 0;

    public bool HasReader => (Second & HasReaderFlag) != 0;

    public DateTimeOffset? At => Second != 0 ? DateTimeOffset.FromUnixTimeMilliseconds(First) : null;

    public HostFence Fence => new(Text, First);

    public long Revision => First;

    public long Task => Second;

    public TaskChangeKind Change => (TaskChangeKind)(Text[0] - FirstChange);

    /// <summary>Gets the place of what the task emitted in the mailbox of its owner.</summary>
    public long Sequence => Text.Length > 1 && long.TryParse(Text.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out var place) ? place : 0;

    /// <summary>It, with a higher revision where it has one.</summary>
    public NewsItem Raised(long by) => Kind is NewsKind.Change ? this with { First = First + by } : this;

    public static NewsItem OfDropped() => new(NewsKind.Dropped, 0, 0, "");

    public static NewsItem OfCancel(long epoch, string taskId) => new(NewsKind.Cancel, epoch, 0, taskId);

    public static NewsItem OfEnded(string taskId) => new(NewsKind.Ended, 0, 0, taskId);

    public static NewsItem OfMail(long epoch, string threadId, bool wakes, bool hasReader) =>
        new(NewsKind.Mail, epoch, (wakes ? WakesFlag : 0) | (hasReader ? HasReaderFlag : 0), threadId);

    public static NewsItem OfOpened(long epochBefore, string threadId) => new(NewsKind.Opened, epochBefore, 0, threadId);

    public static NewsItem OfLeftUnread(long epoch, string threadId) => new(NewsKind.LeftUnread, epoch, 0, threadId);

    public static NewsItem OfWork(string kind, DateTimeOffset? at) =>
        new(NewsKind.Work, at?.ToUnixTimeMilliseconds() ?? 0, at is null ? 0 : 1, kind);

    public static NewsItem OfFenced(HostFence fence) => new(NewsKind.Fenced, fence.Epoch, 0, fence.HostId);

    public static NewsItem OfJoined(long epoch) => new(NewsKind.Joined, epoch, 0, "");

    public static NewsItem OfChange(long revision, TaskChangeKind kind, long task) =>
        new(NewsKind.Change, revision, task, ((char)(FirstChange + (int)kind)).ToString());

    /// <summary>What a task emitted, with its JSON, or without where that is too large to come along: it is read where it stands.</summary>
    public static NewsItem OfEmitted(long revision, long task, long sequence, string json) =>
        new(NewsKind.Change, revision, task, string.Create(CultureInfo.InvariantCulture, $"{(int)TaskChangeKind.Emitted}{sequence}"), json);
}
