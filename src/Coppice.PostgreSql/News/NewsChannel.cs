using System.Buffers.Binary;
using System.Security.Cryptography;
using Npgsql;

namespace Coppice.PostgreSql;

/// <summary>
/// Where the processes of a schema tell each other news, and as which of them this one does. Anybody who may connect to a database can listen to and send on
/// any channel of it whose name he knows, so the name is drawn at random and kept in the schema.
/// </summary>
/// <param name="Name">The name of the channel.</param>
/// <param name="Process">The number of this process, drawn at random for each store that is opened.</param>
internal sealed record NewsChannel(string Name, long Process)
{
    /// <summary>Reads the name of a schema's channel.</summary>
    public static async Task<NewsChannel> ReadAsync(NpgsqlConnection connection, string schema, CancellationToken cancellationToken)
    {
        var command = new NpgsqlCommand($"SELECT news_channel FROM {schema}.meta", connection);
        await using (command.ConfigureAwait(false))
        {
            var key = (Guid)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
            return new NewsChannel($"coppice_{key:n}", BinaryPrimitives.ReadInt64LittleEndian(RandomNumberGenerator.GetBytes(sizeof(long))));
        }
    }
}
