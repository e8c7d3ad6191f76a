namespace Coppice.Properties.Tests.Concurrent;

/// <summary>One task as somebody read it.</summary>
internal sealed record MarkedRead(string What, long Began, long Returned, string Id, TaskSnapshot? Task)
    : Observation(What, Began, Returned, model => Trial.Show(model.Get(Id)) == Trial.Show(Task), IsRead: true)
{
    /// <summary>The same, whoever requested the cancellation.</summary>
    internal Observation WithoutMarks() => this with { Explains = model => model.Get(Id)?.State == Task?.State };
}
