using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Coppice.Agents;
using Microsoft.Extensions.AI;

namespace Coppice;

/// <summary>
/// A sub-agent's definition: a model with instructions and tools that can be spawned as an agent task. It may be spawned any number of times, and
/// by any thread; each time it has a thread, an inbox and a conversation of its own.
/// </summary>
public sealed class ChatAgent
{
    private readonly Lazy<TaskKind<ChatAgentInput, JsonElement>> _kind;

    /// <summary>Creates the definition.</summary>
    /// <param name="name">What models call it by, and the id under which it spawns tasks and sends messages; 1 to 256 bytes.</param>
    /// <param name="client">The model. Function calls are made by Coppice, unless the client makes them itself. It is not disposed.</param>
    /// <exception cref="ArgumentException">The name is missing or too long.</exception>
    public ChatAgent(string name, IChatClient client)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Encoding.UTF8.GetByteCount(name), 256, nameof(name));
        ArgumentNullException.ThrowIfNull(client);
        Name = name;
        Client = client;
        _kind = new(CreateKind);
    }

    /// <summary>Gets what models call it by, and the id under which it spawns tasks and sends messages.</summary>
    public string Name { get; }

    /// <summary>Gets the model.</summary>
    public IChatClient Client { get; }

    /// <summary>Gets what it is good for, in a sentence for the model that may spawn it.</summary>
    public string Description { get; init; } = "";

    /// <summary>Gets its instructions. They are given with each call, and are not part of the conversation that is kept.</summary>
    public string? Instructions { get; init; }

    /// <summary>Gets its tools. Functions wrapped with <c>InBackground()</c> work for its own thread.</summary>
    public IReadOnlyList<AITool> Tools { get; init; } = [];

    /// <summary>Gets the sub-agents that it may spawn itself.</summary>
    public IReadOnlyList<ChatAgent> Agents { get; init; } = [];

    /// <summary>Gets whether it has the tools of <see cref="BackgroundTaskTools"/> for its own thread besides its own. True by default.</summary>
    public bool HasTaskTools { get; init; } = true;

    /// <summary>Gets further options for each call: model, temperature and the like. Tools, instructions and response format come from here.</summary>
    public ChatOptions? Options { get; init; }

    /// <summary>Gets how its turns work. Its tasks are always waited for.</summary>
    public BackgroundTaskChatClientOptions? TurnOptions { get; init; }

    /// <summary>
    /// Gets the names of the kinds of task that its model may spawn with the tool <c>spawn_task</c>; see <see cref="BackgroundTaskToolOptions.Kinds"/>.
    /// </summary>
    public IReadOnlyCollection<string>? Kinds { get; init; }

    /// <summary>Gets how its tasks are run where it is registered (<c>AddAgent</c>).</summary>
    public ChatAgentTaskOptions TaskOptions { get; init; } = new();

    /// <summary>
    /// Gets the kind of its tasks where it is registered (<c>AddAgent</c>), named <c>agent:</c> and its name. A host without the agent's tools or model
    /// spawns it by its kind.
    /// </summary>
    /// <exception cref="ArgumentException">The agent's name cannot be that of a kind: it has over 122 characters, control characters or white space at its end.</exception>
    public TaskKind<ChatAgentInput, JsonElement> Kind => _kind.Value;

    /// <summary>Gets the JSON schema of its result. Without one the result is its last text, as a JSON string.</summary>
    public JsonElement? ResultSchema { get; private init; }

    /// <summary>Gets what is wrong with a result, in words that the model can correct it from, or <see langword="null"/>.</summary>
    internal Func<JsonElement, string?>? FindFault { get; private init; }

    /// <summary>The same agent with a typed result: the model is given its JSON schema, and what it answers has to be one.</summary>
    /// <typeparam name="T">The type of the result.</typeparam>
    /// <param name="jsonTypeInfo">The contract, as a source generator writes it.</param>
    /// <exception cref="ArgumentNullException"><paramref name="jsonTypeInfo"/> is <see langword="null"/>.</exception>
    public ChatAgent WithResult<T>(JsonTypeInfo<T> jsonTypeInfo)
    {
        ArgumentNullException.ThrowIfNull(jsonTypeInfo);
        return new ChatAgent(Name, Client)
        {
            Description = Description,
            Instructions = Instructions,
            Tools = Tools,
            Agents = Agents,
            HasTaskTools = HasTaskTools,
            Options = Options,
            TurnOptions = TurnOptions,
            Kinds = Kinds,
            TaskOptions = TaskOptions,
            ResultSchema = AIJsonUtilities.CreateJsonSchema(typeof(T), serializerOptions: jsonTypeInfo.Options),
            FindFault = element => FaultOf(element, jsonTypeInfo),
        };
    }

    /// <summary>Whether a manager runs it as a registered kind. It is the same object that is registered: another of the name may be another agent.</summary>
    internal bool IsRegisteredWith(BackgroundTaskManager manager) => manager.Kinds.Any(kind => _kind.IsValueCreated && ReferenceEquals(kind, _kind.Value));

    private TaskKind<ChatAgentInput, JsonElement> CreateKind() => new($"agent:{Name}", AgentsJson.Default.ChatAgentInput, AgentsJson.Default.JsonElement)
    {
        Description = Description,
        HasInbox = true,
        Recovery = RecoveryPolicy.Resumable,
        Retry = TaskOptions.EffectiveRetry,
        AttemptTimeout = TaskOptions.AttemptTimeout,
        Timeout = TaskOptions.Timeout,
        MaxConcurrency = TaskOptions.MaxConcurrency,
        MaxConcurrencyPerThread = TaskOptions.MaxConcurrencyPerThread,
        MaxCrashes = TaskOptions.MaxCrashes,
    };

    private static string? FaultOf<T>(JsonElement element, JsonTypeInfo<T> jsonTypeInfo)
    {
        try
        {
            return element.Deserialize(jsonTypeInfo) is null && element.ValueKind == JsonValueKind.Null ? "It is null." : null;
        }
        catch (Exception e)
        {
            // The type is the application's, and its converters may throw anything.
            return e.Message;
        }
    }
}
