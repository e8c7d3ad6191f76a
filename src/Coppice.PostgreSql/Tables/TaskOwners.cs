namespace Coppice.PostgreSql;

/// <summary>Which thread a task belongs to. That never changes, so it is remembered, for all connections of a store.</summary>
internal sealed class TaskOwners(WriterConnection connection, OwnerMemory memory)
{
    private readonly Statement _find = connection.PrepareApart("SELECT owner_thread_id FROM {schema}.task_ids WHERE n = $1");
    private readonly Statement _findAll = connection.PrepareApart("SELECT n, owner_thread_id FROM {schema}.task_ids WHERE n = ANY ($1)");

    /// <summary>The owner of a task, or <see langword="null"/> when there is no such task.</summary>
    public long? Of(long number)
    {
        if (memory.Find(number) is { } known)
        {
            return known;
        }

        if (_find.Bind(number).Scalar() is not { } owner)
        {
            return null;
        }

        memory.Add(number, owner);
        return owner;
    }

    /// <summary>The owners of those of some tasks that there are.</summary>
    public HashSet<long> OfAll(IReadOnlyCollection<long> numbers)
    {
        var owners = new HashSet<long>();
        var unknown = new List<long>();
        foreach (var number in numbers)
        {
            if (memory.Find(number) is { } known)
            {
                owners.Add(known);
            }
            else
            {
                unknown.Add(number);
            }
        }

        if (unknown.Count > 0)
        {
            using var rows = _findAll.Bind([.. unknown]).Rows();
            while (rows.Next())
            {
                memory.Add(rows.Number(0), rows.Number(1));
                owners.Add(rows.Number(1));
            }
        }

        return owners;
    }
}
