using System.Buffers;
using System.Text.Json;

namespace Coppice;

/// <summary>What a wait for children came to.</summary>
/// <param name="IsMet">Whether the condition is met; false when too few children are left that could meet it.</param>
/// <param name="Ended">The children that had ended by then, in the order of lists; without those that were forgotten since.</param>
public sealed record JoinResult(bool IsMet, IReadOnlyList<TaskSnapshot> Ended)
{
    internal JsonElement ToJson()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteBoolean("is_met", IsMet);
            writer.WriteStartArray("ended");
            foreach (var task in Ended)
            {
                writer.WriteStringValue(task.TaskId);
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        return JsonElement.Parse(buffer.WrittenSpan);
    }

    /// <summary>The answer that was stored. What has ended does not change, so the tasks are read anew.</summary>
    internal static async ValueTask<JoinResult> FromJsonAsync(JsonElement json, BackgroundTaskManager manager, CancellationToken cancellationToken)
    {
        var ended = new List<TaskSnapshot>();
        foreach (var taskId in json.GetProperty("ended").EnumerateArray())
        {
            if (await manager.GetAsync(taskId.GetString()!, cancellationToken).ConfigureAwait(false) is { } task)
            {
                ended.Add(task);
            }
        }

        return new JoinResult(json.GetProperty("is_met").GetBoolean(), ended);
    }
}
