namespace Coppice.Cli.Rendering;

/// <summary>Tasks as a table.</summary>
internal static class TaskTable
{
    public static TextTable Of(IEnumerable<TaskSnapshot> tasks, DateTimeOffset now)
    {
        var table = new TextTable(
            new TextColumn("ID") { MaxWidth = 20 },
            new TextColumn("STATUS"),
            new TextColumn("AGE") { RightAligned = true },
            new TextColumn("TOOK") { RightAligned = true },
            new TextColumn("NAME") { MinWidth = 16, MaxWidth = 60 },
            new TextColumn("TYPE") { MinWidth = 6, MaxWidth = 20, Optional = true },
            new TextColumn("THREAD") { MinWidth = 12, MaxWidth = 30, Optional = true },
            new TextColumn("ABOUT") { MinWidth = 12, MaxWidth = 200, Optional = true });
        foreach (var task in tasks)
        {
            table.AddRow(
                (SafeText.Line(task.TaskId, 60), Ink.Plain),
                (TaskText.State(task), Ink.Of(task)),
                (Durations.Age(now - task.CreatedAt), Ink.Faint),
                (Durations.Show((task.CompletedAt ?? now) - task.CreatedAt), Ink.Faint),
                (SafeText.Line(task.Name, 128), Ink.Plain),
                (SafeText.Line(task.Type, 60), Ink.Faint),
                (SafeText.Line(task.OwnerThreadId, 60), Ink.Faint),
                (SafeText.Line(task.Error ?? task.Description, 200), task.Error is null ? Ink.Faint : Ink.Bad));
        }

        return table;
    }
}
