namespace Coppice.PostgreSql.Tests.Support;

internal static class WriterConnectionExtensions
{
    /// <summary>Begins a transaction with the locks of some threads.</summary>
    public static void Begin(this WriterConnection connection, IReadOnlyCollection<long> threads)
    {
        connection.Begin();
        connection.LockAll(threads);
    }
}
