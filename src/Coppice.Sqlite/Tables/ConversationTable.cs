using System.Text.Json;

namespace Coppice.Sqlite;

/// <summary>The writer's statements on conversations. Entry 0 stands at the place that the first piece of mail has in its own table.</summary>
internal sealed class ConversationTable(Connection connection) : IConversationRows
{
    private readonly Statement _add = connection.Prepare("INSERT INTO conversations (place, json) VALUES (?, ?)");
    private readonly Statement _forget = connection.Prepare("DELETE FROM conversations WHERE place > ? AND place <= ?");

    public void Add(long thread, long entry, JsonElement json) => _add.Bind(MailPlace.Of(thread, entry + 1)).Bind(json.GetRawText()).Run();

    public void Forget(long thread) => _forget.Bind(MailPlace.Of(thread, 0)).Bind(MailPlace.Through(thread, long.MaxValue)).Run();
}
