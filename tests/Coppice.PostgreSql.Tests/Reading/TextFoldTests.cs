using System.Text;
using Coppice.PostgreSql.Tests.Support;

namespace Coppice.PostgreSql.Tests.Reading;

/// <summary>What is found without regard to case is what .NET finds, whatever the server thinks of case.</summary>
public sealed class TextFoldTests
{
    private static IEnumerable<Rune> AllCharacters => Enumerable.Range(0, 0x110000).Where(Rune.IsValid).Select(static value => new Rune(value));

    [Fact]
    public void Two_characters_are_one_to_the_fold_exactly_where_they_are_to_an_ordinal_comparison_without_case()
    {
        var groups = AllCharacters.GroupBy(static rune => rune.ToString(), StringComparer.OrdinalIgnoreCase).ToList();

        Assert.DoesNotContain(groups, static group => group.Select(Rune.ToUpperInvariant).Distinct().Count() > 1);
        Assert.Equal(AllCharacters.Select(Rune.ToUpperInvariant).Distinct().Count(), groups.Count);
    }

    [Fact]
    public void Every_character_that_has_a_case_is_found_by_every_other_of_its_own()
    {
        foreach (var group in AllCharacters.GroupBy(Rune.ToUpperInvariant).Where(static group => group.Count() > 1))
        {
            foreach (var rune in group)
            {
                var fold = new TextFold(rune.ToString());
                Assert.Equal(group.Key.ToString(), fold.Part);
                Assert.Equal(group.Where(variant => variant != group.Key), fold.From.EnumerateRunes());
                Assert.Equal(fold.From.EnumerateRunes().Count(), fold.To.EnumerateRunes().Count());
            }
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("Straße")]
    [InlineData("ΣσςKkK")]
    [InlineData("ıIiİ")]
    [InlineData("%_\\'\"$1")]
    [InlineData("😀𐐀")]
    public async Task The_database_finds_what_an_ordinal_comparison_without_case_finds(string part)
    {
        string[] texts = ["", "A", "STRASSE", "STRAßE", "straẞe", "σςΣkKK", "ΣΣΣKKK", "ΣΣΣkkK", "ıiıi", "ıIIİ", "iIIİ", "x%_\\'\"$1y", "😀𐐨", "😀𐐀", "😁𐐨"];
        var source = await PostgresServer.DataSourceAsync();
        var fold = new TextFold(part);
        foreach (var text in texts)
        {
            await using var command = source.CreateCommand("SELECT strpos(translate($2, $3, $4) COLLATE \"C\", $1) > 0");
            command.Parameters.AddRange(new[] { Parameter.Of(fold.Part), Parameter.Of(text), Parameter.Of(fold.From), Parameter.Of(fold.To) });
            Assert.True(
                text.Contains(part, StringComparison.OrdinalIgnoreCase) == (bool)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!,
                $"'{part}' in '{text}'");
        }
    }
}
