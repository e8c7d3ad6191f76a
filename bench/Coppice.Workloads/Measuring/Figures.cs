using System.Text.Json.Serialization;

namespace Coppice.Workloads;

/// <summary>What one measurement found, by name.</summary>
internal sealed class Figures : Dictionary<string, double>;

/// <summary>The JSON that measurements answer with and that results are kept in.</summary>
[JsonSourceGenerationOptions(WriteIndented = false, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(Figures))]
internal sealed partial class FiguresJson : JsonSerializerContext;
