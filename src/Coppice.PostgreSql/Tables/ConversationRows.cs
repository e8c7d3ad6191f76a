using System.Text.Json;

namespace Coppice.PostgreSql;

/// <summary>The writer's statements on conversations.</summary>
internal sealed class ConversationRows(WriterConnection connection) : IConversationRows
{
    private readonly Additions<(long Thread, long Entry, string Json)> _added = connection.Add(new Additions<(long Thread, long Entry, string Json)>(
        RowWriter<(long Thread, long Entry, string Json)>.Inserts(
            connection.InSchema("{schema}.conversations"),
            [
                new NumberColumn<(long Thread, long Entry, string Json)>("owner_thread_id", static row => row.Thread),
                new NumberColumn<(long Thread, long Entry, string Json)>("entry", static row => row.Entry),
                new TextColumn<(long Thread, long Entry, string Json)>("json", static row => row.Json),
            ])));

    private readonly Statement _forget = connection.Prepare("DELETE FROM {schema}.conversations WHERE owner_thread_id = $1");

    public void Add(long thread, long entry, JsonElement json)
    {
        connection.Lock(thread);
        _added.Add((thread, entry, json.GetRawText()));
    }

    /// <summary>Forgets what was added before, in this transaction too: what comes after has to stay.</summary>
    public void Forget(long thread)
    {
        connection.Lock(thread);
        _forget.Bind(thread).Run();
    }
}
