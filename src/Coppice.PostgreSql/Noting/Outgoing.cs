using Npgsql;

namespace Coppice.PostgreSql;

/// <summary>The statements that go out together.</summary>
internal readonly struct Outgoing(List<NpgsqlCommand> commands)
{
    public void Add(NpgsqlCommand command) => commands.Add(command);
}
