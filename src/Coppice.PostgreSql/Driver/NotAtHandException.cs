namespace Coppice.PostgreSql;

/// <summary>A transaction that decides by what its host knows came upon something that it does not know; it is to be begun anew by reading.</summary>
internal sealed class NotAtHandException() : Exception("What the transaction decides by is not at hand.");
