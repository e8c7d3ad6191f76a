namespace Coppice.Rows;

/// <summary>A task on a branch.</summary>
/// <param name="Number">The task.</param>
/// <param name="Parent">Its parent, which need not be there.</param>
/// <param name="Owner">Its thread.</param>
/// <param name="HasEnded">Whether it has ended, and is there for what hangs on it.</param>
/// <param name="Name">Its name.</param>
/// <param name="RunId">The run that has spawned it. A run's roots are its tasks without a parent; with one it is not looked for.</param>
internal readonly record struct BranchRow(long Number, long? Parent, long Owner, bool HasEnded, string? Name, string? RunId);
