using Coppice.PostgreSql.Tests.Support;

namespace Coppice.PostgreSql.Tests.Reading;

/// <summary>Which text can be stored, and that it is ordered as <see cref="TaskCursor"/> orders it.</summary>
public sealed class StoredTextTests
{
    [Fact]
    public void Text_can_be_stored_unless_it_has_a_NUL_or_half_a_character()
    {
        Assert.All([null, "", "a'b\\%", "é😀\uE000\uFFFF"], static text => Assert.True(StoredText.CanHold(text)));
        Assert.All(["a\0", "é\0", "\uD83D", "a\uDE00b", "\uDE00\uD83D"], static text => Assert.False(StoredText.CanHold(text)));
    }

    [Fact]
    public async Task The_keys_that_the_database_makes_are_those_made_here_and_are_in_ordinal_order()
    {
        string[] ids = ["a", "B", "bg_007", "é", "\uD7FF", "\uE000", "\uE000a", "\uE001", "\uFFFD", "\uFFFF", "\U00010000", "\U00010000\uE000", "😀", "😀😀", "\U0010FFFF", "\U0010FFFFa", "a\uE000", "a😀", "\\1"];
        var source = await PostgresServer.DataSourceAsync();
        await using var command = source.CreateCommand($"SELECT * FROM (SELECT id, {StoredText.SortKeySql} AS key FROM unnest($1) AS i (id)) k ORDER BY key COLLATE \"C\"");
        command.Parameters.Add(new() { Value = ids });
        var found = new List<string>();
        await using var rows = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        while (await rows.ReadAsync(TestContext.Current.CancellationToken))
        {
            found.Add(rows.GetString(0));
            Assert.Equal(StoredText.SortKey(rows.GetString(0)), rows.GetString(1));
        }

        Assert.Equal(ids.Order(StringComparer.Ordinal), found);
    }

    [Fact]
    public void A_key_can_be_made_of_any_text() => Assert.Equal("a\uE001\uFFFDb", StoredText.SortKey("a\uD83Db\0c"));
}
