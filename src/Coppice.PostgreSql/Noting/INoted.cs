namespace Coppice.PostgreSql;

/// <summary>What a transaction is going to write to a table, as far as it was not sent yet.</summary>
/// <remarks>
/// There may be a mark: what comes after it is kept apart from what was there before, so that it can be taken back without having been sent, and what was
/// before be sent without it.
/// </remarks>
internal interface INoted
{
    /// <summary>Makes the mark.</summary>
    void Mark();

    /// <summary>Takes the mark away, and keeps what came after it.</summary>
    void Keep();

    /// <summary>Takes the mark away with what came after it.</summary>
    void TakeBack();

    /// <summary>Sends what was there before the mark, if there is one, else everything.</summary>
    void SendMarked(Outgoing outgoing);

    /// <summary>Sends what came after the mark. Called only when the rest was sent.</summary>
    void SendRest(Outgoing outgoing);

    /// <summary>Forgets all of it, and the mark: a transaction begins.</summary>
    void Forget();
}
