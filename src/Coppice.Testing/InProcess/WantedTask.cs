namespace Coppice.Testing;

/// <summary>A task as a test describes it.</summary>
internal sealed record WantedTask(string? OwnerThreadId, string? Name, string? Type, Func<TaskSnapshot, bool>? Where)
{
    public override string ToString()
    {
        List<string> parts =
        [
            .. OwnerThreadId is null ? [] : new[] { $"of thread {OneLine.Quote(OwnerThreadId)}" },
            .. Name is null ? [] : new[] { $"named {OneLine.Quote(Name)}" },
            .. Type is null ? [] : new[] { $"of type {OneLine.Quote(Type)}" },
            .. Where is null ? [] : new[] { "as the test's condition says" },
        ];
        return parts.Count == 0 ? "of any kind" : string.Join(", ", parts);
    }

    /// <summary>The tasks that are as described, and all of the thread.</summary>
    internal async Task<(IReadOnlyList<TaskSnapshot> Found, IReadOnlyList<TaskSnapshot> All)> FindAsync(
        BackgroundTaskManager manager, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(manager);
        var all = new List<TaskSnapshot>();
        await foreach (var task in manager.QueryAsync(new TaskQuery { OwnerThreadId = OwnerThreadId }, cancellationToken).ConfigureAwait(false))
        {
            all.Add(task);
        }

        return ([.. all.Where(IsIt)], all);
    }

    private bool IsIt(TaskSnapshot task) =>
        (Name is null || task.Name == Name) && (Type is null || task.Type == Type) && (Where is null || Where(task));
}
