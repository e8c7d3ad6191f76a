using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Coppice.Agents;

/// <summary>Keeps what is said in a sub-agent's conversation, in one commit with the acknowledgement of the mail that it was told.</summary>
internal sealed class ConversationLog(Inbox inbox, int entries, int maxEntryBytes, TimeProvider time)
{
    private const int Tries = 6;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);


    private int _entries = entries;

    internal async ValueTask KeepAsync(IEnumerable<ChatMessage> messages, long acknowledgeThrough, CancellationToken cancellationToken)
    {
        JsonElement[] written = [.. messages.Select(message => AgentConversation.Write(message, maxEntryBytes))];
        await KeepAsync(written, acknowledgeThrough, cancellationToken).ConfigureAwait(false);
    }

    internal async ValueTask KeepAsync(JsonElement[] written, long acknowledgeThrough, CancellationToken cancellationToken)
    {
        if (written.Length == 0 && acknowledgeThrough == 0)
        {
            return;
        }

        await AppendAsync(written, acknowledgeThrough, cancellationToken).ConfigureAwait(false);
        _entries += written.Length;
    }

    /// <summary>An answer of a model has been paid for, so a store that is away for a moment does not lose it.</summary>
    private async ValueTask AppendAsync(JsonElement[] written, long acknowledgeThrough, CancellationToken cancellationToken)
    {
        var pause = FirstPause;
        for (var attempt = 1; ; attempt++, pause *= 2)
        {
            try
            {
                await inbox.AppendAsync(_entries, written, acknowledgeThrough, cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (ConversationConflictException e) when (attempt > 1 && e.Count == _entries + written.Length)
            {
                // The try before this one had landed.
                return;
            }
            catch (TaskStoreException e) when (e.IsTransient && attempt < Tries)
            {
                await Task.Delay(pause, time, cancellationToken).ConfigureAwait(false);
            }
        }
    }
}
