namespace Coppice.Rows;

/// <summary>
/// Task ids and their numbers. The id <c>bg_n</c> has the number n, whether there is such a task or not; an id of another form gets a
/// number of its own when it is first kept. A pair never changes, so it may be remembered from one transaction to the next, and reading it
/// needs no lock.
/// </summary>
internal interface IIdRows
{
    /// <summary>The number of an id, or <see langword="null"/> when the store has never kept one of that form.</summary>
    long? Find(string id);

    /// <summary>The number of an id, given now where there is none.</summary>
    long Ensure(string id);

    /// <summary>The id of a number that has one.</summary>
    string IdOf(long number);
}
