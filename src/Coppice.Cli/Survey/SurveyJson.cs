using System.Text.Json.Serialization;

namespace Coppice.Cli.Survey;

/// <summary>The contracts of what a survey stores and prints.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(FolderResult))]
[JsonSerializable(typeof(FolderProgress))]
[JsonSerializable(typeof(SurveyProgress))]
[JsonSerializable(typeof(SurveyReport))]
internal sealed partial class SurveyJson : JsonSerializerContext;
