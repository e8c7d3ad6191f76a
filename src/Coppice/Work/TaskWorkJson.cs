using System.Text.Json;

namespace Coppice;

/// <summary>Writes and reads the work of a task, as the wire has it.</summary>
internal static class TaskWorkJson
{
    private static readonly JsonElement Nothing = JsonDocument.Parse("null").RootElement.Clone();

    internal static void Write(Utf8JsonWriter writer, TaskWork work)
    {
        writer.WriteStartObject("work");
        writer.WriteString("kind", work.Kind);
        writer.WriteNumber("version", work.Version);
        writer.WriteString("recovery", ToWireName(work.Recovery));
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

    internal static string ToWireName(PendingReason reason) => reason switch
    {
        PendingReason.NotDue => "not_due",
        PendingReason.UnknownKind => "unknown_kind",
        PendingReason.NewerVersion => "newer_version",
        _ => "queued",
    };

    private static string ToWireName(RecoveryPolicy recovery) => recovery switch
    {
        RecoveryPolicy.Idempotent => "idempotent",
        RecoveryPolicy.Resumable => "resumable",
        _ => "never",
    };

    internal static PendingReason? ReadPendingReason(ref Utf8JsonReader reader) => WireObject.ReadText(ref reader, "pending_reason") switch
    {
        null => null,
        "not_due" => PendingReason.NotDue,
        "unknown_kind" => PendingReason.UnknownKind,
        "newer_version" => PendingReason.NewerVersion,
        "queued" => PendingReason.Queued,
        _ => throw new JsonException("'pending_reason' is one of not_due, unknown_kind, newer_version, queued."),
    };

    private static RecoveryPolicy ReadRecovery(ref Utf8JsonReader reader) => WireObject.ReadText(ref reader, "recovery") switch
    {
        null or "never" => RecoveryPolicy.Never,
        "idempotent" => RecoveryPolicy.Idempotent,
        "resumable" => RecoveryPolicy.Resumable,
        _ => throw new JsonException("'recovery' is one of never, idempotent, resumable."),
    };
}
