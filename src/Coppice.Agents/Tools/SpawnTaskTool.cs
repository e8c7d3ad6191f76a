using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Coppice.Agents;

/// <summary>Spawns a task of one of the kinds that are offered.</summary>
internal sealed class SpawnTaskTool(ToolDoor door, IReadOnlyList<TaskKind> kinds)
    : TaskTool(BackgroundTaskTools.SpawnTask, About(kinds), SchemaOf(door.Manager, kinds), door)
{
    /// <summary>The longest a task may be put off.</summary>
    private const double MaxDelaySeconds = 3_652.0 * 24 * 60 * 60;

    // What a kind takes is said by its own contract.
    private static readonly JsonElement Anything = JsonElement.Parse("{}");

    // Where an agent goes on after a crash, a second call finds the task of the first by its key.
    internal override bool IsIdempotent => true;

    protected override JsonElement CheckedSchema { get; } = SchemaOf(kinds, JsonNode.Parse(Anything.GetRawText())!);

    /// <summary>The kinds that a model is offered, in an order that does not change from one start to the next.</summary>
    /// <exception cref="ArgumentException">A kind is named that the manager does not know.</exception>
    internal static IReadOnlyList<TaskKind> OfferedBy(BackgroundTaskManager manager, IReadOnlyCollection<string>? names)
    {
        var known = manager.Kinds;
        if (names?.FirstOrDefault(name => !known.Any(kind => kind.Name == name)) is { } unknown)
        {
            throw new ArgumentException(
                $"BackgroundTaskToolOptions.Kinds names '{unknown}', which is registered with no AddTask of this host. It knows: "
                + $"{(known.Count == 0 ? "none" : string.Join(", ", known.Select(static kind => kind.Name)))}.");
        }

        return
        [
            .. known.Where(kind => names?.Contains(kind.Name) ?? !kind.HasInbox)
                .OrderBy(static kind => kind.Name, StringComparer.Ordinal),
        ];
    }

    protected override async ValueTask<JsonElement> AnswerAsync(ToolArguments arguments, CancellationToken cancellationToken)
    {
        var (kind, input) = (arguments.Text("kind")!, arguments.Object("input"));
        var schema = Door.Manager.GetInputSchema(kind);
        if (InputSchema.Fault(schema, input) is { } fault)
        {
            return WrongInput(fault, schema);
        }

        var key = arguments.Text("idempotency_key");
        var options = new SpawnOptions
        {
            Name = arguments.Text("name"),
            Delay = arguments.Number("delay_seconds") is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
            IdempotencyKey = key ?? SpawnKeys.Next(Door.CurrentTask),
        };
        try
        {
            var taskId = await Door.Manager.SpawnAsync(kind, Door.ThreadId, input, options, cancellationToken).ConfigureAwait(false);

            // Under a key there may have been a task that has ended long ago, of which nobody will be told anything any more.
            var task = key is null ? null : await Door.FindAsync(taskId, cancellationToken).ConfigureAwait(false);
            return Accepted(taskId, task?.State);
        }
        catch (ArgumentException e) when (e.ParamName == "input")
        {
            return WrongInput(ToolFaults.WithoutParameter(e), schema);
        }
    }

    private static JsonElement Accepted(string taskId, TaskState? state) => JsonAnswer.Write((taskId, state), static (writer, accepted) =>
    {
        writer.WriteString("status", "accepted");
        writer.WriteString("task_id", accepted.taskId);
        if (accepted.state is { } known)
        {
            writer.WriteString("task_status", known.ToWireName());
        }
    });

    private static JsonElement WrongInput(string fault, JsonElement schema) => JsonAnswer.Write((fault, schema), static (writer, wrong) =>
    {
        writer.WriteString("error", ToolFaults.InvalidArguments);
        writer.WriteString("message", wrong.fault);
        writer.WritePropertyName("input_schema");
        writer.WriteRawValue(JsonMarshal.GetRawUtf8Value(wrong.schema), skipInputValidation: true);
    });

    private static string About(IReadOnlyList<TaskKind> kinds) =>
        "Starts work in the background, of one of the kinds below. Use it for work that takes long, can go on beside other work, or is to begin later. Returns at once with a task_id while "
        + "the work goes on by itself, also when this conversation ends or the system restarts: go on with something else, do not ask for it again and again; you are told its "
        + "result when it has ended. cancel_task stops it. Kinds:"
        + string.Concat(kinds.Select(static kind => $" '{kind.Name}': {kind.Description}".TrimEnd(':', ' ')));

    private static JsonElement SchemaOf(BackgroundTaskManager manager, IReadOnlyList<TaskKind> kinds)
    {
        const string place = "/properties/input";
        if (kinds.Count == 1)
        {
            return SchemaOf(kinds, Described(kinds[0], InputSchema.At(place, manager.GetInputSchema(kinds[0].Name))));
        }

        return SchemaOf(kinds, new JsonObject
        {
            ["description"] = "What the task is given: the input of its kind.",
            ["anyOf"] = new JsonArray([.. kinds.Select((kind, i) => Described(
                kind, InputSchema.At(string.Create(CultureInfo.InvariantCulture, $"{place}/anyOf/{i}"), manager.GetInputSchema(kind.Name))))]),
        });
    }

    /// <summary>Says whose input it is. Not every model is given more than the description.</summary>
    private static JsonObject Described(TaskKind kind, JsonNode schema)
    {
        if (schema is not JsonObject described)
        {
            // "true": anything.
            described = [];
        }

        var own = described["description"] is JsonValue text ? " " + text.GetValue<string>() : "";
        described["description"] = $"The input of kind '{kind.Name}'.{own}";
        return described;
    }

    private static JsonElement SchemaOf(IReadOnlyList<TaskKind> kinds, JsonNode input)
    {
        var schema = JsonNode.Parse(string.Create(
            CultureInfo.InvariantCulture,
            $$$"""
            {"type":"object","properties":{
             "kind":{"type":"string","description":"What to start."},
             "input":{},
             "name":{"type":"string","minLength":1,"maxLength":128,"description":"A name for the task, by which you can cancel it; unique among your running tasks."},
             "delay_seconds":{"type":"number","minimum":0,"maximum":{{{MaxDelaySeconds}}},"description":"How long to wait before it begins. 0 by default."},
             "idempotency_key":{"type":"string","minLength":1,"maxLength":200,
              "description":"A word of yours for this piece of work: if there is a task with this key already, that one is returned and nothing is started."}},
             "required":["kind","input"],"additionalProperties":false}
            """))!;
        schema["properties"]!["kind"]!["enum"] = new JsonArray([.. kinds.Select(static kind => (JsonNode)JsonValue.Create(kind.Name)!)]);
        schema["properties"]!["input"] = input;
        return JsonElement.Parse(schema.ToJsonString());
    }
}
