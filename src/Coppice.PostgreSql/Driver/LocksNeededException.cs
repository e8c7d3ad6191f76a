namespace Coppice.PostgreSql;

/// <summary>A transaction came upon threads that it has not locked and may not wait for; it is to be begun anew with these among its locks.</summary>
internal sealed class LocksNeededException(IReadOnlyCollection<long> threads) : Exception("The transaction needs the locks of more threads.")
{
    public IReadOnlyCollection<long> Threads { get; } = threads;
}
