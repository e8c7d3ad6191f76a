namespace Coppice.PostgreSql;

/// <summary>What is known of a thread and of what hangs on it. It is true as long as nobody else has written there, which its version shows.</summary>
/// <param name="version">The version at which this was read.</param>
internal sealed class ThreadFacts(long version)
{
    /// <summary>There is something, and it was not counted.</summary>
    public const int Some = -1;

    private readonly List<string> _freed = [];

    /// <summary>Gets the version of the thread before the transaction.</summary>
    public long Version { get; private set; } = version;

    /// <summary>Gets the version that the transaction gives it, if it changes anything.</summary>
    public long NextVersion => Version + 1;

    /// <summary>Gets or sets its row.</summary>
    public ThreadEntry? Entry { get; set; }

    /// <summary>Gets its tasks, by their numbers; <see langword="null"/> for one that is not there.</summary>
    public Dictionary<long, TaskHead?> Tasks { get; } = [];

    /// <summary>Gets the branch rows of its tasks; <see langword="null"/> for one that has none.</summary>
    public Dictionary<long, BranchRow?> Branches { get; } = [];

    /// <summary>Gets how many branches hang on its tasks, or <see cref="Some"/>.</summary>
    public Dictionary<long, int> Children { get; } = [];

    /// <summary>Gets whether names are those of live tasks.</summary>
    public Dictionary<string, bool> Names { get; } = new(StringComparer.Ordinal);

    /// <summary>Gets or sets which agent is about to read its mail, where that is known.</summary>
    public (bool IsKnown, long? Agent) Waiting { get; set; }

    /// <summary>Gets the tasks that end in the transaction.</summary>
    public List<long> Ended { get; } = [];

    /// <summary>Gets how much is known.</summary>
    public int Count => Tasks.Count + Branches.Count + Children.Count + Names.Count;

    /// <summary>Takes in that a name is free again.</summary>
    public void FreeName(string name)
    {
        Names[name] = false;
        _freed.Add(name);
    }

    /// <summary>Takes in what a reader has changed, if it was the only change since.</summary>
    public void Take(in ReadMark mark)
    {
        if (Entry is { } entry && entry.Reader == mark.Reader && mark.Version == Version + 1)
        {
            Version = mark.Version;
            (entry.ReadThrough, entry.Unread) = (mark.Through, mark.Unread);
        }
    }

    /// <summary>Lets go of what hangs on the thread.</summary>
    public void ForgetTasks()
    {
        Tasks.Clear();
        Branches.Clear();
        Children.Clear();
        Names.Clear();
        Ended.Clear();
        _freed.Clear();
        Waiting = default;
    }

    /// <summary>Lets go of everything but the version: the thread is held.</summary>
    public void Forget()
    {
        ForgetTasks();
        Entry = null;
    }

    /// <summary>The transaction has landed. Nobody decides about an ended task or a name that is free again, as a rule.</summary>
    /// <param name="isChanged">Whether it changed anything here.</param>
    public void Landed(bool isChanged)
    {
        if (isChanged)
        {
            Version = NextVersion;
        }

        foreach (var task in Ended)
        {
            Tasks.Remove(task);
            if (Branches.TryGetValue(task, out var row) && row is null)
            {
                Branches.Remove(task);
                Children.Remove(task);
            }
        }

        foreach (var name in _freed)
        {
            if (!Names.GetValueOrDefault(name))
            {
                Names.Remove(name);
            }
        }

        Ended.Clear();
        _freed.Clear();
    }
}
