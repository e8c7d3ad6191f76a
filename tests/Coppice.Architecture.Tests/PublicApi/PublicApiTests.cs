using System.Reflection;

namespace Coppice.Architecture.Tests.PublicApi;

/// <summary>
/// The public API of every library stands as text in <c>eng/PublicApi</c>, so that a change to it is seen in review. A change that is
/// meant is accepted by running these tests with <c>COPPICE_ACCEPT_API=1</c> and committing what they wrote.
/// </summary>
public sealed class PublicApiTests
{
    private const string AcceptVariable = "COPPICE_ACCEPT_API";

    public static TheoryData<string> Libraries => [.. Repository.Libraries.Select(p => p.Name)];

    [Theory]
    [MemberData(nameof(Libraries))]
    public void The_public_api_is_as_it_was_reviewed(string library)
    {
        var file = Repository.PathOf("eng", "PublicApi", library + ".txt");
        var actual = ApiText.Of(Assembly.Load(library));
        if (Environment.GetEnvironmentVariable(AcceptVariable) == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, actual);
        }

        var reviewed = File.Exists(file) ? File.ReadAllText(file).ReplaceLineEndings("\n") : "";
        Assert.True(reviewed == actual, Explain(library, reviewed, actual));
    }

    [Fact]
    public void Every_baseline_belongs_to_a_library() =>
        Assert.Equal(
            Repository.Libraries.Select(p => p.Name).Order(StringComparer.Ordinal),
            Directory.EnumerateFiles(Repository.PathOf("eng", "PublicApi"), "*.txt")
                .Select(f => Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal));

    private static string Explain(string library, string reviewed, string actual)
    {
        var before = Located(reviewed);
        var after = Located(actual);
        var changes = before.Except(after).Select(line => "- " + line).Concat(after.Except(before).Select(line => "+ " + line));
        return $"""
            The public API of {library} is not as it was reviewed:
            {string.Join('\n', changes)}
            If that is meant, run ./test.sh (or these tests) with {AcceptVariable}=1 and commit eng/PublicApi/{library}.txt.
            """;
    }

    /// <summary>Each line with the type it belongs to, so that equal members of two types are told apart.</summary>
    private static List<string> Located(string text)
    {
        var lines = new List<string>();
        var type = "";
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var isMember = line.StartsWith(' ');
            type = isMember ? type : line;
            lines.Add(isMember ? $"{type} :: {line.Trim()}" : line);
        }

        return lines;
    }
}
