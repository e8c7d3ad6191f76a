using System.Text.Json;
using System.Text.Json.Serialization;

namespace Coppice.Agents;

/// <summary>Contracts for the few plain types that are written as JSON here.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(ChatAgentInput))]
internal sealed partial class AgentsJson : JsonSerializerContext;
