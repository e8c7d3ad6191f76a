namespace Coppice;

/// <summary>How the tools of a thread work. Copied when the tools are made.</summary>
public sealed class BackgroundTaskToolOptions
{
    internal const int LargestPage = 100_000;

    /// <summary>Gets or sets the agent that the model speaks as, where no <see cref="ToolCallScope"/> says it. None by default.</summary>
    public string? AgentId { get; set; }

    /// <summary>Gets or sets the run that the tools are called in, where no <see cref="ToolCallScope"/> says it. None by default.</summary>
    public string? RunId { get; set; }

    /// <summary>Gets or sets the longest time that <c>wait_for_tasks</c> may be asked to wait. 1 second to 24 hours; 10 minutes by default.</summary>
    public TimeSpan MaxWait { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// Gets or sets how many characters of a result a model gets at once, unless it asks for another number. 100 to 100,000; 8,000 by
    /// default.
    /// </summary>
    public int ResultPageChars { get; set; } = 8_000;

    /// <summary>Gets or sets the sub-agents that the model may spawn, of different names. None by default.</summary>
    public IReadOnlyCollection<ChatAgent> Agents { get; set; } = [];

    /// <summary>
    /// Gets or sets the names of the kinds of task that the model may spawn. By default all kinds of the manager that are no agents; none when it is
    /// empty. Their <see cref="TaskKind.Description"/> is what the model reads of them.
    /// </summary>
    public IReadOnlyCollection<string>? Kinds { get; set; }

    /// <summary>Gets or sets the names of the tools to leave out. None by default.</summary>
    public IReadOnlyCollection<string> Exclude { get; set; } = [];

    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    internal BackgroundTaskToolOptions CloneChecked()
    {
        if (MaxWait < TimeSpan.FromSeconds(1) || MaxWait > TimeSpan.FromHours(24))
        {
            throw new ArgumentException($"BackgroundTaskToolOptions.MaxWait ({MaxWait}) must be from 1 second to 24 hours.");
        }

        if (ResultPageChars is < 100 or > LargestPage)
        {
            throw new ArgumentException($"BackgroundTaskToolOptions.ResultPageChars ({ResultPageChars}) must be from 100 to {LargestPage}.");
        }

        if (Exclude is null)
        {
            throw new ArgumentException("BackgroundTaskToolOptions.Exclude is null; leave it out to leave no tool out.");
        }

        if (Exclude.FirstOrDefault(name => !BackgroundTaskTools.Names.Contains(name)) is { } unknown)
        {
            throw new ArgumentException(
                $"BackgroundTaskToolOptions.Exclude names '{unknown}'; the tools are {string.Join(", ", BackgroundTaskTools.Names)}.");
        }

        if (Agents is null || Agents.Any(agent => agent is null))
        {
            throw new ArgumentException("BackgroundTaskToolOptions.Agents is null or holds a null; leave it out for no agents.");
        }

        if (Agents.GroupBy(agent => agent.Name, StringComparer.Ordinal).FirstOrDefault(same => same.Count() > 1) is { } twice)
        {
            throw new ArgumentException($"BackgroundTaskToolOptions.Agents has two agents named '{twice.Key}'; a model could not tell them apart.");
        }

        var copy = (BackgroundTaskToolOptions)MemberwiseClone();
        copy.Exclude = [.. Exclude];
        copy.Agents = [.. Agents];
        copy.Kinds = Kinds is null ? null : [.. Kinds];
        copy.RunId = string.IsNullOrEmpty(RunId) ? null : RunId;
        return copy;
    }
}
