using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Coppice;

/// <content>Conversations.</content>
public sealed partial class BackgroundTaskManager
{
    // An entry may have a megabyte.
    private const int ConversationPageSize = 64;

    /// <summary>Gets the longest entry of a conversation, in bytes of UTF-8 JSON: <see cref="BackgroundTaskOptions.MaxConversationEntryBytes"/>.</summary>
    public int MaxConversationEntryBytes => _options.MaxConversationEntryBytes;

    /// <summary>
    /// Reads a thread's conversation from its beginning, page by page; what is appended meanwhile may or may not be seen. Whoever has the
    /// thread's inbox open writes it, with <see cref="Inbox.AppendAsync"/>.
    /// </summary>
    /// <param name="threadId">The thread.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <returns>The entries in order, byte for byte as they were appended; none for a thread without a conversation.</returns>
    public IAsyncEnumerable<JsonElement> ReadConversationAsync(string threadId, CancellationToken cancellationToken = default)
    {
        Rules.CheckId(threadId, nameof(threadId));
        CheckUsable(cancellationToken);
        return ReadEntriesAsync(threadId, cancellationToken);
    }

    /// <summary>Forgets a thread's conversation. Pruning leaves it, because others may continue it. A writer has to begin anew, with entry 0.</summary>
    /// <param name="threadId">The thread.</param>
    /// <param name="cancellationToken">Gives it up until the store's writer has it.</param>
    /// <returns>How many entries it had.</returns>
    public async ValueTask<int> ForgetConversationAsync(string threadId, CancellationToken cancellationToken = default)
    {
        Rules.CheckId(threadId, nameof(threadId));
        var core = await ReadyAsync(cancellationToken).ConfigureAwait(false);
        var answer = await core.CommitAsync<ConversationForgotten>("forget_conversation", new ForgetConversation(threadId), cancellationToken)
            .ConfigureAwait(false);
        return answer.Count;
    }

    private async IAsyncEnumerable<JsonElement> ReadEntriesAsync(string threadId, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var core = await ReadyAsync(cancellationToken).ConfigureAwait(false);
        for (var from = 0; ; from += ConversationPageSize)
        {
            var page = await core.Store.ReadConversationAsync(threadId, from, ConversationPageSize, cancellationToken).ConfigureAwait(false);
            foreach (var entry in page.Entries)
            {
                yield return entry;
            }

            if (page.Entries.Count < ConversationPageSize)
            {
                yield break;
            }
        }
    }
}
