using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Coppice;

/// <summary>What names, ids and texts may be. Every value that comes from outside passes here, before any I/O.</summary>
internal sealed partial class TaskRules(BackgroundTaskOptions options)
{
    private const char Replacement = '\uFFFD';

    private static readonly SearchValues<string> ReservedNames =
        SearchValues.Create(["parent", "self", "all", "broadcast"], StringComparison.OrdinalIgnoreCase);

    /// <exception cref="ArgumentException">The id is missing, empty, too long, or holds what an id may not hold.</exception>
    internal void CheckId(string? id, string parameter)
    {
        ArgumentException.ThrowIfNullOrEmpty(id, parameter);
        CheckSize(id, options.MaxIdBytes, nameof(options.MaxIdBytes), "id", parameter);
        if (!IsText(id))
        {
            throw new ArgumentException("An id may hold neither NUL nor a lone surrogate.", parameter);
        }
    }

    /// <summary>An optional id; an empty one is no value.</summary>
    internal string? CheckOptionalId(string? id, string parameter)
    {
        if (string.IsNullOrEmpty(id))
        {
            return null;
        }

        CheckId(id, parameter);
        return id;
    }

    internal TaskLineage CheckLineage(TaskLineage? lineage, string parameter) => lineage is null || lineage.IsEmpty
        ? TaskLineage.None
        : new TaskLineage
        {
            TaskId = CheckOptionalId(lineage.TaskId, parameter),
            RunId = CheckOptionalId(lineage.RunId, parameter),
            CallId = CheckOptionalId(lineage.CallId, parameter),
            AgentId = CheckOptionalId(lineage.AgentId, parameter),
        };

    /// <exception cref="SpawnException">The name is invalid or reserved.</exception>
    internal void CheckName(string? name)
    {
        if (name is null)
        {
            return;
        }

        if (Fault(name) is { } fault)
        {
            throw new SpawnException(SpawnError.InvalidName, $"A task's name {fault}.");
        }

        if (ReservedNames.Contains(name) || TaskIds.HasForm(name))
        {
            throw new SpawnException(
                SpawnError.ReservedName, $"The name '{name}' is reserved: it means something else to a model. Choose another.");
        }
    }

    internal string CheckDescription(string? description, string parameter)
    {
        if (string.IsNullOrEmpty(description))
        {
            return "";
        }

        CheckSize(description, options.MaxDescriptionBytes, nameof(options.MaxDescriptionBytes), "description", parameter);
        return Clean(description);
    }

    internal string CheckMessage(string content, string parameter)
    {
        ArgumentNullException.ThrowIfNull(content, parameter);
        CheckSize(content, options.MaxMessageBytes, nameof(options.MaxMessageBytes), "message", parameter);
        return Clean(content);
    }

    /// <summary>An event's payload as it can be kept.</summary>
    internal JsonElement CheckPayload(JsonElement payload, string parameter)
    {
        try
        {
            var kept = JsonValue.ToStorable(payload, out var bytes);
            return bytes <= options.MaxEventPayloadBytes
                ? kept
                : throw new ArgumentException(
                    OverLimit("event payload", bytes, options.MaxEventPayloadBytes, nameof(options.MaxEventPayloadBytes)), parameter);
        }
        catch (JsonException e)
        {
            throw new ArgumentException($"The payload cannot be stored. {e.Message}", parameter, e);
        }
    }

    /// <summary>Live input as it can be kept.</summary>
    internal JsonElement CheckInput(JsonElement messages, string parameter)
    {
        try
        {
            var kept = JsonValue.ToStorable(messages, out var bytes);
            if (bytes > options.MaxMessageBytes)
            {
                throw new ArgumentException(OverLimit("input", bytes, options.MaxMessageBytes, nameof(options.MaxMessageBytes)), parameter);
            }

            return kept.ValueKind == JsonValueKind.Array && kept.GetArrayLength() > 0 && kept.EnumerateArray().All(IsMessage)
                ? kept
                : throw new ArgumentException(
                    "The input has to be a JSON array of messages, at least one, each an object with a string \"role\" and a \"content\".", parameter);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // A name such as "\ud800" passes the grammar but is no text.
            throw new ArgumentException($"The input cannot be stored. {e.Message}", parameter, e);
        }
    }

    private static bool IsMessage(JsonElement message) =>
        message.ValueKind == JsonValueKind.Object
        && message.TryGetProperty("role", out var role) && role.ValueKind == JsonValueKind.String
        && message.TryGetProperty("content", out _);

    /// <summary>New entries of a conversation as they can be kept.</summary>
    /// <exception cref="ArgumentException">There are too many, or one is too long or no JSON; the message says which.</exception>
    internal IReadOnlyList<JsonElement> CheckEntries(int firstEntry, IReadOnlyList<JsonElement> entries, string parameter)
    {
        var kept = entries.Select((entry, i) => CheckEntry(entry, firstEntry + (long)i, parameter)).ToList();
        return firstEntry + (long)kept.Count <= options.MaxConversationEntries
            ? kept
            : throw new ArgumentException(
                string.Create(CultureInfo.InvariantCulture,
                    $"The conversation would have {firstEntry + (long)kept.Count} entries; MaxConversationEntries is {options.MaxConversationEntries}."),
                parameter);
    }

    private JsonElement CheckEntry(JsonElement entry, long place, string parameter)
    {
        try
        {
            var kept = JsonValue.ToStorable(entry, out var bytes);
            return bytes <= options.MaxConversationEntryBytes
                ? kept
                : throw new ArgumentException(
                    OverLimit($"conversation's entry {place}", bytes, options.MaxConversationEntryBytes, nameof(options.MaxConversationEntryBytes)), parameter);
        }
        catch (JsonException e)
        {
            throw new ArgumentException($"Entry {place} of the conversation cannot be stored. {e.Message}", parameter, e);
        }
    }

    /// <summary>A body's outcome as it can be kept: one that cannot is a failure that says so.</summary>
    internal TaskOutcome Storable(TaskOutcome outcome)
    {
        if (outcome.Error is { } error)
        {
            return TaskOutcome.Failure(CutError(error));
        }

        if (outcome.Result is not { } result)
        {
            return outcome;
        }

        try
        {
            var kept = JsonValue.ToStorable(result, out var bytes);
            return bytes <= options.MaxResultBytes
                ? TaskOutcome.Success(kept)
                : TaskOutcome.Failure(
                    $"The result cannot be stored. {OverLimit("result", bytes, options.MaxResultBytes, nameof(options.MaxResultBytes))}");
        }
        catch (JsonException e)
        {
            return TaskOutcome.Failure($"The result cannot be stored. {e.Message}");
        }
    }

    internal string CutError(string error)
    {
        error = Clean(error);
        if (error.Length * 3 <= options.MaxErrorBytes || Encoding.UTF8.GetByteCount(error) <= options.MaxErrorBytes)
        {
            return error;
        }

        var buffer = new byte[options.MaxErrorBytes];
        Encoding.UTF8.GetEncoder().Convert(error, buffer, flush: false, out var charsUsed, out _, out _);
        return error[..(char.IsHighSurrogate(error[charsUsed - 1]) ? charsUsed - 1 : charsUsed)];
    }

    /// <summary>A task of a snapshot as it can be kept.</summary>
    /// <exception cref="ArgumentException">It has no id, or something in it is over its limit; the message says which task of the snapshot.</exception>
    internal TaskSnapshot CheckRestored(TaskSnapshot? task, int number, string parameter)
    {
        if (task is null)
        {
            throw new ArgumentException($"Task number {number} of the snapshot is null.", parameter);
        }

        try
        {
            return CheckRestored(task);
        }
        catch (ArgumentException e)
        {
            throw new ArgumentException($"Task number {number} of the snapshot cannot be restored. {e.Message}", parameter, e);
        }
    }

    private TaskSnapshot CheckRestored(TaskSnapshot task)
    {
        CheckId(task.TaskId, nameof(task.TaskId));
        CheckId(task.Type, nameof(task.Type));
        if (!Enum.IsDefined(task.State))
        {
            throw new ArgumentException($"Its state, {(int)task.State}, is none that is defined.", nameof(task));
        }

        if (task.Name is { } name && (name.Length > options.MaxNameLength || !IsText(name)))
        {
            throw new ArgumentException(
                $"Its name has {name.Length} characters, or holds what a name may not hold; MaxNameLength is {options.MaxNameLength}.",
                nameof(task));
        }

        if (!Enum.IsDefined(task.Notify))
        {
            throw new ArgumentException($"Its notify policy, {(int)task.Notify}, is none that is defined.", nameof(task));
        }

        return task with
        {
            Description = CheckDescription(task.Description, nameof(task.Description)),
            Error = task.State == TaskState.Failed ? CutError(task.Error ?? "") : null,
            Result = task.Result is { } result ? KeepRestored(result, nameof(task.Result)) : null,
            CreatedAt = ToMilliseconds(task.CreatedAt),
            CompletedAt = task.CompletedAt is { } completedAt ? ToMilliseconds(completedAt) : null,
            CancelRequestedAt = task.CancelRequestedAt is { } requestedAt ? ToMilliseconds(requestedAt) : null,
            CancelledBy = task.CancelledBy is null ? null : CutError(task.CancelledBy),
            AgentThreadId = CheckOptionalId(task.AgentThreadId, nameof(task.AgentThreadId)),
            PendingReason = null,
            Work = task.Work is { } work ? CheckRestored(work) : null,
            Continues = string.IsNullOrEmpty(task.AgentThreadId) ? null : CheckOptionalId(task.Continues, nameof(task.Continues)),
            Lineage = CheckLineage(task.Lineage, nameof(task.Lineage)),
        };
    }

    private JsonElement KeepRestored(JsonElement result, string parameter)
    {
        try
        {
            var kept = JsonValue.ToStorable(result, out var bytes);
            return bytes <= options.MaxResultBytes
                ? kept
                : throw new ArgumentException(OverLimit("result", bytes, options.MaxResultBytes, nameof(options.MaxResultBytes)), parameter);
        }
        catch (JsonException e)
        {
            throw new ArgumentException($"The result cannot be stored. {e.Message}", parameter, e);
        }
    }

    private static DateTimeOffset ToMilliseconds(DateTimeOffset time) =>
        DateTimeOffset.FromUnixTimeMilliseconds(time.ToUnixTimeMilliseconds());

    private string? Fault(string name)
    {
        if (name.Length == 0)
        {
            return "may not be empty; leave it out for a task without a name";
        }

        if (name.Length > options.MaxNameLength)
        {
            return $"has {name.Length} characters; MaxNameLength is {options.MaxNameLength}";
        }

        if (char.IsWhiteSpace(name[0]) || char.IsWhiteSpace(name[^1]))
        {
            return "may not begin or end with white space";
        }

        if (name.Any(char.IsControl))
        {
            return "may not hold control characters";
        }

        return IsText(name) ? null : "may not hold a lone surrogate";
    }

    private static void CheckSize(string text, int maxBytes, string option, string what, string parameter)
    {
        // No UTF-16 unit takes more than three bytes, so most texts need not be counted.
        if (text.Length * 3L <= maxBytes)
        {
            return;
        }

        var bytes = Encoding.UTF8.GetByteCount(text);
        if (bytes > maxBytes)
        {
            throw new ArgumentException(OverLimit(what, bytes, maxBytes, option), parameter);
        }
    }

    private static string OverLimit(string what, int bytes, int maxBytes, string option) =>
        string.Create(CultureInfo.InvariantCulture, $"The {what} has {bytes} bytes; {option} is {maxBytes}.");

    private static bool IsText(string text) => IndexOfNoText(text, 0) < 0;

    private static string Clean(string text)
    {
        var at = IndexOfNoText(text, 0);
        if (at < 0)
        {
            return text;
        }

        var clean = text.ToCharArray();
        for (; at >= 0; at = IndexOfNoText(text, at + 1))
        {
            clean[at] = Replacement;
        }

        return new string(clean);
    }

    /// <summary>The next NUL or lone surrogate.</summary>
    private static int IndexOfNoText(string text, int start)
    {
        for (var i = start; i < text.Length; i++)
        {
            if (text[i] == '\0')
            {
                return i;
            }

            if (!char.IsSurrogate(text[i]))
            {
                continue;
            }

            if (!char.IsHighSurrogate(text[i]) || i + 1 == text.Length || !char.IsLowSurrogate(text[i + 1]))
            {
                return i;
            }

            i++;
        }

        return -1;
    }
}
