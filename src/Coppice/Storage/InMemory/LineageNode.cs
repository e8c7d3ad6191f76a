namespace Coppice;

/// <summary>
/// A place in the forest of tasks. A node hangs in its parent's ring of children as long as it is live or something live hangs
/// below it. All fields belong to the <see cref="LineageForest"/> and its lock.
/// </summary>
internal abstract class LineageNode
{
    // Only while it hangs there: what has ended below nothing live keeps nothing alive.
    internal LineageNode? Parent;
    internal LineageNode? FirstChild;
    internal LineageNode? Next;
    internal LineageNode? Previous;
    internal long Visit;

    internal bool IsLinked => Parent is not null;

    internal abstract bool IsLive { get; }

    internal void AddChild(LineageNode child)
    {
        if (FirstChild is null)
        {
            FirstChild = child.Next = child.Previous = child;
        }
        else
        {
            child.Next = FirstChild;
            child.Previous = FirstChild.Previous;
            child.Previous!.Next = child;
            FirstChild.Previous = child;
        }

        child.Parent = this;
    }

    internal void RemoveChild(LineageNode child)
    {
        if (child.Next == child)
        {
            FirstChild = null;
        }
        else
        {
            child.Previous!.Next = child.Next;
            child.Next!.Previous = child.Previous;
            if (FirstChild == child)
            {
                FirstChild = child.Next;
            }
        }

        child.Next = child.Previous = child.Parent = null;
    }
}
