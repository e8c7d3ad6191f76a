namespace Coppice.PostgreSql;

/// <summary>A mailbox that this process had open, and that a reader of another has now, or nobody.</summary>
/// <param name="ThreadId">Whose it is.</param>
/// <param name="Before">The reader that was let in here.</param>
/// <param name="Reader">The reader that has it.</param>
internal readonly record struct TakenOver(string ThreadId, Guid Before, Guid? Reader)
{
    public void Tell(OwnReaders readers, Listeners listeners)
    {
        readers.Lost(ThreadId, Before);
        listeners.Tell(new Notice.MailboxOpened(ThreadId, Reader ?? Guid.Empty, Before));
    }
}
