using System.Text.Json;

namespace Coppice;

/// <summary>Writes and reads the work of a task, as the wire has it.</summary>
internal static class TaskWorkJson
{
    // In the order of the enumerations.
    private static readonly string[] Recoveries = ["never", "idempotent", "resumable"];
    private static readonly string[] PendingReasons = ["not_due", "unknown_kind", "newer_version", "queued"];

    private static readonly JsonElement Nothing = JsonElement.Parse("null");

    internal static void Write(Utf8JsonWriter writer, TaskWork work)
    {
        writer.WriteStartObject("work");
        writer.WriteString("kind", work.Kind);
        writer.WriteNumber("version", work.Version);
        writer.WriteString("recovery", Recoveries[(int)work.Recovery]);
        writer.WriteNumber("priority", work.Priority);
        writer.WriteNumber("attempt", work.Attempt);
        writer.WriteNumber("failures", work.Failures);
        writer.WriteNumber("crashes", work.Crashes);
        writer.WriteOptional("due_at_ms", work.DueAt);
        writer.WriteOptional("deadline_ms", work.Deadline);
        writer.WriteOptional("idempotency_key", work.IdempotencyKey);
        writer.WriteOptional("last_error", work.LastError);
        writer.WriteAsText("input", work.Input.ValueKind == JsonValueKind.Undefined ? Nothing : work.Input);
        writer.WriteEndObject();
    }

    internal static TaskWork? Read(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.Null)
        {
            return null;
        }

        WireObject.ExpectStart(ref reader, "work");
        var work = new TaskWork { Kind = "", Input = Nothing };
        while (WireObject.NextProperty(ref reader, out var name))
        {
            switch (name)
            {
                case "kind": work = work with { Kind = WireObject.ReadText(ref reader, name) ?? "" }; break;
                case "version": work = work with { Version = WireObject.ReadCount(ref reader, name) }; break;
                case "recovery": work = work with { Recovery = ReadRecovery(ref reader) }; break;
                case "priority": work = work with { Priority = WireObject.ReadNumber(ref reader, name) }; break;
                case "attempt": work = work with { Attempt = WireObject.ReadCount(ref reader, name) }; break;
                case "failures": work = work with { Failures = WireObject.ReadCount(ref reader, name) }; break;
                case "crashes": work = work with { Crashes = WireObject.ReadCount(ref reader, name) }; break;
                case "due_at_ms": work = work with { DueAt = WireObject.ReadTime(ref reader, name) }; break;
                case "deadline_ms": work = work with { Deadline = WireObject.ReadTime(ref reader, name) }; break;
                case "idempotency_key": work = work with { IdempotencyKey = WireObject.ReadText(ref reader, name) }; break;
                case "last_error": work = work with { LastError = WireObject.ReadText(ref reader, name) }; break;
                case "input": work = work with { Input = WireObject.ReadValue(ref reader) }; break;
                default: reader.Skip(); break;
            }
        }

        return work.Kind.Length > 0 ? work : throw new JsonException("'work' needs 'kind'.");
    }

    internal static string ToWireName(PendingReason reason) => PendingReasons[(int)reason];

    internal static PendingReason? ReadPendingReason(ref Utf8JsonReader reader) =>
        WireObject.ReadText(ref reader, "pending_reason") is { } name ? (PendingReason)PlaceOf(name, "pending_reason", PendingReasons) : null;

    private static RecoveryPolicy ReadRecovery(ref Utf8JsonReader reader) =>
        WireObject.ReadText(ref reader, "recovery") is { } name ? (RecoveryPolicy)PlaceOf(name, "recovery", Recoveries) : RecoveryPolicy.Never;

    private static int PlaceOf(string name, string field, string[] names) => Array.IndexOf(names, name) is >= 0 and var place
        ? place
        : throw new JsonException($"'{field}' is one of {string.Join(", ", names)}.");
}
