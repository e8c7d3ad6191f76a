namespace Coppice.Workloads;

/// <summary>Bare statements that write what a store writes for a spawn and for the end of a task, in transactions.</summary>
internal interface IFloorRows
{
    /// <summary>The number of a thread, added where it is new.</summary>
    long ThreadNumber(string id);

    void Begin();

    /// <summary>Writes a new task, and gets its number.</summary>
    long Spawn(long thread);

    /// <summary>Writes its end.</summary>
    void Finish(long task, long thread);

    void Commit();
}
