using System.Text.Json;

namespace Coppice.Rows;

/// <summary>The steps and checkpoints of work that is under way.</summary>
internal interface IStepRows
{
    /// <summary>How many steps a task has stored. Their places count up from 0 without gaps.</summary>
    int Count(long task);

    /// <summary>Stores a step at the next place.</summary>
    /// <returns>Whether it was stored; not if the task has one of this name and key already.</returns>
    bool TryAdd(long task, int place, TaskStep step);

    /// <summary>The checkpoint of a task, read anew.</summary>
    JsonElement? Checkpoint(long task);

    /// <summary>Stores the checkpoint of a task, or forgets it.</summary>
    void SetCheckpoint(long task, JsonElement? value);

    /// <summary>
    /// Forgets what a task has stored; <see cref="WorkHead.HasSteps"/> and <see cref="WorkHead.HasCheckpoint"/> say whether there is
    /// anything.
    /// </summary>
    void Remove(in WorkHead work);
}
