namespace Coppice.PostgreSql;

/// <summary>A row of work as it is going to be. The last error need not be in it where it does not change.</summary>
internal sealed record WorkImage(WorkHead Head, long Owner)
{
    public string? LastError { get; init; }

    /// <summary>Gets what never changes, where the row is a new one.</summary>
    public NewWorkRow? New { get; init; }

    /// <summary>This image on top of an earlier one.</summary>
    public static WorkImage Over(WorkImage before, WorkImage now) => now with { New = before.New, LastError = now.LastError ?? before.LastError };
}

/// <summary>What never changes of a task's work.</summary>
internal sealed record NewWorkRow(bool IsRestored, string? Key, string Input);
