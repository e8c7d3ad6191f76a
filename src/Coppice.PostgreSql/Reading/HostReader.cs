using Npgsql;

namespace Coppice.PostgreSql;

/// <summary>Shows that hosts live, and tells which others do.</summary>
internal sealed class HostReader(Database database)
{
    // A session lock is listed by the halves of its key. Who holds none has ended, whatever its row says, unless the server that it had its lock on is
    // another than this one or has started anew since. Who beats has its lock: that was seen to just before.
    private readonly string _sql =
        $$"""
        WITH beat AS (UPDATE {schema}.hosts SET beats = beats + 1, handles_unread = $3, server = {{SessionLocks.ServerSql}} WHERE epoch = $1 AND host_id = $2 AND is_open RETURNING epoch, beats)
        SELECT h.host_id, h.epoch, coalesce(b.beats, h.beats),
            NOT h.is_open OR (h.epoch <> $1 AND h.server = {{SessionLocks.ServerSql}} AND NOT EXISTS (
                SELECT 1 FROM pg_locks l
                WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted AND ((l.classid::bigint << 32) | l.objid::bigint) = {{SessionLocks.KeySql("host", "h.epoch")}}))
        FROM {schema}.hosts h LEFT JOIN beat b USING (epoch) ORDER BY h.epoch
        """.Replace("{schema}", database.Schema, StringComparison.Ordinal);

    public async Task<IReadOnlyList<HostStatus>> BeatAsync(HostFence fence, bool handlesUnread, CancellationToken cancellationToken)
    {
        var connection = await database.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var command = new NpgsqlCommand(_sql, connection)
            {
                Parameters =
                {
                    new NpgsqlParameter<long> { TypedValue = fence.Epoch },
                    new NpgsqlParameter<string> { TypedValue = fence.HostId },
                    new NpgsqlParameter<bool> { TypedValue = handlesUnread },
                },
            };
            await using (command.ConfigureAwait(false))
            {
                var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
                await using (reader.ConfigureAwait(false))
                {
                    var hosts = new List<HostStatus>();
                    while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                    {
                        hosts.Add(new HostStatus(new HostFence(reader.GetString(0), reader.GetInt64(1)), reader.GetInt64(2), reader.GetBoolean(3)));
                    }

                    return hosts;
                }
            }
        }
    }
}
