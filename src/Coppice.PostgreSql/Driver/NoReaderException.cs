using System.Globalization;
using Npgsql;

namespace Coppice.PostgreSql;

/// <summary>No connection was free to read on.</summary>
/// <param name="count">How many there are.</param>
/// <param name="waited">For how long one was waited for.</param>
internal sealed class NoReaderException(int count, TimeSpan waited) : NpgsqlException(string.Create(
    CultureInfo.InvariantCulture, $"None of the {count} connections that read was free within {waited.TotalSeconds:0} s. Raise ReaderConnections."));
