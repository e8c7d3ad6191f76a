using Npgsql;

namespace Coppice.PostgreSql;

/// <summary>The statements that go out in one round trip.</summary>
internal readonly struct Outgoing(NpgsqlBatch batch)
{
    public void Add(NpgsqlBatchCommand command) => batch.BatchCommands.Add(command);
}
