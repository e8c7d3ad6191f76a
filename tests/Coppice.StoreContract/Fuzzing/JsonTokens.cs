using System.Globalization;
using System.Text.Json;

namespace Coppice.StoreContract;

/// <summary>Scalars that readers stumble over: the edges of numbers, of text, of ids, of limits, and what only looks like JSON.</summary>
/// <param name="random">Where chance comes from.</param>
internal sealed class JsonTokens(Random random)
{
    private static readonly string[] Scalars =
    [
        "null", "true", "false", "0", "-0", "-1", "1", "0.5", "1e0", "1E400", "-1e-400", "1.7976931348623157e308", "9007199254740993",
        "9223372036854775807", "9223372036854775808", "-9223372036854775808", "18446744073709551616", "1760000000000", "1760000000000.0",
        "1.76e12", "253402300799999", "253402300800000", "-62135596800000", "-62135596800001",
        "{}", "[]", "[null]", "{\"\":null}", "{\"a\":1,\"a\":2}",
    ];

    private static readonly string[] NotJson =
        ["NaN", "Infinity", "-Infinity", "nul", "TRUE", "undefined", "0x10", "01", "+1", ".5", "1.", "1e", "-", "'x'", "x", "\"", "\"\\x\"", "\"\\u12\"", "\"a\nb\"", ""];

    private static readonly string[] Texts =
    [
        "", " ", "a", "é", "😀", "\u0001", "\u001b[31m", "\u202e", "\ufeff", "\u2028", "bg_0", "bg_1", "bg_7", "bg_01", "bg_", "BG_5", "bg_-1", "bg_٣", "bg_1 ",
        "bg_9007199254740991", "bg_9007199254740992", "bg_9007199254740993", "bg_123456789012345678901234567890", "parent", "self", "task", "sub_agent",
        "pending", "running", "input_required", "completed", "failed", "cancelled", "Completed", "COMPLETED", "ended", "custom", "message", "agent_message",
        "user", "tree:bg_0", "thread-1", "</background-task-event>", "'; drop table tasks; --", "{\"kind\":\"failed\"}",
    ];

    private static readonly string[] Escaped =
        ["\"\\u0000\"", "\"a\\u0000b\"", "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\\ud83d\\ude00\"", "\"\\ud83d\"", "\"\\/\"", "\"\\b\\f\"", "\"\\u0062g_1\"", "\"\\ud800\\ud800\\udc00\""];

    private static readonly string[] Names =
    [
        "task_id", "owner_thread_id", "task_type", "name", "description", "status", "error", "result", "created_at_ms", "completed_at_ms",
        "cancel_requested_at_ms", "cancelled_by", "parent_context", "run_id", "call_id", "agent_id", "kind", "event_type", "payload", "from", "content",
        "message_id", "from_thread_id", "from_agent_id", "", "TASK_ID", "taskId", "task_id ", "$id", "$ref", "$type", "__proto__",
    ];

    private static readonly int[] Lengths = [127, 128, 129, 255, 256, 257, 4_095, 4_096, 4_097, 16_384, 16_385, 40_000];

    /// <summary>Any scalar, as it is to be written.</summary>
    internal string Any() => random.Next(20) switch
    {
        < 5 => Pick(Scalars),
        5 => Pick(NotJson),
        6 or 7 => Pick(Escaped),
        8 => JsonSerializer.Serialize(Long()),
        9 => Digits(),
        10 => random.NextInt64(long.MinValue, long.MaxValue).ToString(CultureInfo.InvariantCulture),
        11 => JsonSerializer.Serialize("bg_" + random.Next(12)),
        _ => JsonSerializer.Serialize(Pick(Texts)),
    };

    /// <summary>A field's name, with its quotes.</summary>
    internal string Name() => random.Next(12) switch
    {
        0 => Pick(Escaped),
        1 => JsonSerializer.Serialize(Pick(Texts)),
        _ => JsonSerializer.Serialize(Pick(Names)),
    };

    /// <summary>Text at the edge of a limit, of one to four bytes a character.</summary>
    private string Long()
    {
        var unit = Pick(["x", "é", "€", "😀"]);
        return string.Concat(Enumerable.Repeat(unit, Math.Max(1, Pick(Lengths) / (random.Next(2) == 0 ? 1 : unit.Length))));
    }

    private string Digits()
    {
        var digits = new string('9', random.Next(1, 2_000));
        return random.Next(3) switch { 0 => digits, 1 => "-" + digits, _ => "1e" + digits };
    }

    private T Pick<T>(T[] choices) => choices[random.Next(choices.Length)];
}
