using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Coppice.Agents;

/// <summary>
/// Keeps what is said in a sub-agent's conversation, in one commit with the acknowledgement of the mail that it was told. Writes one after the
/// other, in the order in which they were asked for.
/// </summary>
/// <param name="context">The agent.</param>
/// <param name="durable">The attempt, where another may follow it.</param>
/// <param name="entries">How many entries the conversation has.</param>
internal sealed class ConversationLog(AgentTaskContext context, DurableTaskContext? durable, int entries) : ITurnKeeper
{
    private const string BegunStep = "coppice.calls_begun";

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private readonly int _maxEntryBytes = context.Manager.MaxConversationEntryBytes;
    private Task _last = Task.CompletedTask;
    private int _entries = entries;

    /// <summary>Gets or sets which turn of the task is being kept, from 0.</summary>
    internal int Turn { get; set; }

    public async ValueTask KeepAsync(IReadOnlyList<ChatMessage> messages, long acknowledgeThrough) =>
        await KeepAsync([.. messages.Select(message => AgentConversation.Write(message, _maxEntryBytes))], acknowledgeThrough).ConfigureAwait(false);

    public async ValueTask<bool> TryBeginCallsAsync(string answer)
    {
        if (durable is null)
        {
            return true;
        }

        var isFirst = false;
        await durable.StepAsync(
            BegunStep,
            _ =>
            {
                isFirst = true;
                return Task.CompletedTask;
            },
            new StepOptions { Key = $"{Turn}.{answer}" }).ConfigureAwait(false);
        return isFirst;
    }

    /// <summary>Models give ids of any length, and some the same ones in every answer.</summary>
    public SpawnKeys? KeysFor(string answer, string callId) => durable is null ? null : new SpawnKeys(
        durable.TaskId, $"{durable.TaskId}/call/{Turn}.{answer}/{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(callId)).AsSpan(0, 16))}");

    /// <summary>Writes who the agent is, in front of everything that is said.</summary>
    internal ValueTask OpenAsync(string agentName, ChatMessage prompt) => KeepAsync(
        _entries > 0
            ? [AgentConversation.Write(prompt, _maxEntryBytes)]
            : [AgentConversation.Head(agentName), AgentConversation.Write(prompt, _maxEntryBytes)],
        0);

    private async ValueTask KeepAsync(JsonElement[] written, long acknowledgeThrough)
    {
        if (written.Length == 0 && acknowledgeThrough == 0)
        {
            return;
        }

        Task keeping;
        lock (_lock)
        {
            _last = keeping = AppendAfterAsync(_last, written, acknowledgeThrough);
        }

        await keeping.ConfigureAwait(false);
    }

    private async Task AppendAfterAsync(Task before, JsonElement[] written, long acknowledgeThrough)
    {
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await AppendAsync(written, acknowledgeThrough).ConfigureAwait(false);
        _entries += written.Length;
    }

    /// <summary>An answer of a model has been paid for, so neither a store that is away for a moment loses it nor a host that stops.</summary>
    private async ValueTask AppendAsync(JsonElement[] written, long acknowledgeThrough)
    {
        var pause = FirstPause;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await context.Inbox.AppendAsync(_entries, written, acknowledgeThrough, CancellationToken.None).ConfigureAwait(false);
                return;
            }
            catch (ConversationConflictException e) when (attempt > 1 && e.Count == _entries + written.Length)
            {
                // The try before this one had landed.
                return;
            }
            catch (TaskStoreException e) when (e.IsTransient && !context.CancellationToken.IsCancellationRequested)
            {
                await Task.Delay(pause, context.Manager.TimeProvider, context.CancellationToken).ConfigureAwait(false);
                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            }
        }
    }
}
