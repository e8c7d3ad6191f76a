using System.Text.Json;

namespace Coppice.Rows;

/// <summary>The entries of conversations, by thread and place. How many there are is in <see cref="ThreadHead.Entries"/>.</summary>
internal interface IConversationRows
{
    /// <summary>Adds an entry at the end.</summary>
    void Add(long thread, long entry, JsonElement json);

    /// <summary>Forgets the entries of a thread.</summary>
    void Forget(long thread);
}
