using System.Text.Json;
using System.Text.Json.Serialization;

namespace Coppice.Workloads;

/// <summary>What a row found, with where and when, as it is kept in a file.</summary>
internal sealed record RowResult
{
    public required string Row { get; init; }

    /// <summary>Gets the commit that was measured.</summary>
    public required string Commit { get; init; }

    public required string Date { get; init; }

    public required MachineFacts Machine { get; init; }

    /// <summary>Gets the runs of ours, in their order.</summary>
    public List<Figures> Ours { get; init; } = [];

    /// <summary>Gets the runs of the floor; each belongs to the one of ours at the same place.</summary>
    public List<Figures> Floor { get; init; } = [];

    internal static RowResult? Load(string folder, string row)
    {
        var path = PathOf(folder, row);
        return File.Exists(path) ? JsonSerializer.Deserialize(File.ReadAllText(path), ResultJson.Default.RowResult) : null;
    }

    internal void Save(string folder)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(PathOf(folder, Row), JsonSerializer.Serialize(this, ResultJson.Default.RowResult) + "\n");
    }

    private static string PathOf(string folder, string row) => Path.Combine(folder, row + ".json");
}

/// <summary>The JSON of results.</summary>
[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(RowResult))]
internal sealed partial class ResultJson : JsonSerializerContext;
