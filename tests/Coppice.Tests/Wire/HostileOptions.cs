using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Coppice.Tests.Wire;

/// <summary>Serialiser options as they meet the wire format in other people's programs.</summary>
internal static class HostileOptions
{
    internal static readonly Dictionary<string, JsonSerializerOptions> ByName = new()
    {
        ["defaults"] = new(),
        ["web"] = JsonSerializerOptions.Web,
        ["camelCase"] = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, DictionaryKeyPolicy = JsonNamingPolicy.CamelCase },
        ["KEBAB-CASE"] = new() { PropertyNamingPolicy = JsonNamingPolicy.KebabCaseUpper },
        ["defaults left out"] = new() { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault },
        ["numbers as strings"] = new() { NumberHandling = JsonNumberHandling.WriteAsString | JsonNumberHandling.AllowReadingFromString },
        ["enums as C# names"] = new() { Converters = { new JsonStringEnumConverter() } },
        ["references kept"] = new() { ReferenceHandler = ReferenceHandler.Preserve },
        ["relaxed escaping"] = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping },
        ["unknown members refused"] = new() { UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow },
        ["generated contracts"] = new() { TypeInfoResolver = WireContext.Default },
        ["indented"] = new() { WriteIndented = true, IndentCharacter = '\t', IndentSize = 3, NewLine = "\r\n" },
        ["lenient"] = new() { AllowTrailingCommas = true, ReadCommentHandling = JsonCommentHandling.Skip },
    };

    internal static TheoryData<string> Names => [.. ByName.Keys];
}
