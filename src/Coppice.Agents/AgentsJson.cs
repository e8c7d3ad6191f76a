using System.Text.Json.Serialization;

namespace Coppice.Agents;

/// <summary>Contracts for the few plain types that are written as JSON here.</summary>
[JsonSerializable(typeof(string))]
internal sealed partial class AgentsJson : JsonSerializerContext;
