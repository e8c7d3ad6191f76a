using System.Text.Json;

namespace Coppice.PostgreSql;

/// <summary>The writer's statements on conversations.</summary>
internal sealed class ConversationRows(WriterConnection connection) : IConversationRows
{
    private readonly Statement _add = connection.Prepare("INSERT INTO {schema}.conversations (owner_thread_id, entry, json) VALUES ($1, $2, $3)");
    private readonly Statement _forget = connection.Prepare("DELETE FROM {schema}.conversations WHERE owner_thread_id = $1");

    public void Add(long thread, long entry, JsonElement json)
    {
        connection.Lock(thread);
        _add.Bind(thread).Bind(entry).Bind(json.GetRawText()).Note();
    }

    public void Forget(long thread)
    {
        connection.Lock(thread);
        _forget.Bind(thread).Note();
    }
}
