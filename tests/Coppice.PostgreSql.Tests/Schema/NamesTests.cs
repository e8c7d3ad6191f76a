using Coppice.PostgreSql.Tests.Support;

namespace Coppice.PostgreSql.Tests.Schema;

/// <summary>Names of schemas and roles that are none.</summary>
public sealed class NamesTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("Coppice")]
    [InlineData("coppice ")]
    [InlineData("1st")]
    [InlineData("pg_x")]
    [InlineData("pg_catalog")]
    [InlineData("a-b")]
    [InlineData("a.b")]
    [InlineData("a\"b")]
    [InlineData("a'b")]
    [InlineData("a\0b")]
    [InlineData("a\n")]
    [InlineData("ä")]
    [InlineData("user")]
    [InlineData("x; DROP SCHEMA public CASCADE; --")]
    [InlineData("\"x\"; DROP SCHEMA public CASCADE; --")]
    [InlineData("abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvw")]
    public async Task What_is_no_name_of_a_schema_is_refused_before_anything_is_done(string name)
    {
        const string Nowhere = "Host=127.0.0.1;Port=1";

        var option = await Assert.ThrowsAsync<ArgumentException>(async () => await PostgreSqlTaskStore.OpenAsync(Nowhere, new() { Schema = name }, Stop));
        var script = Assert.Throws<ArgumentException>(() => PostgreSqlSchema.CreateScript(name));
        var grants = Assert.Throws<ArgumentException>(() => PostgreSqlSchema.CreateGrants("app", name));

        Assert.StartsWith($"PostgreSqlTaskStoreOptions.Schema ('{name}')", option.Message, StringComparison.Ordinal);
        foreach (var error in new[] { script, grants })
        {
            Assert.Equal("schema", error.ParamName);
            Assert.StartsWith($"'{name}' is not the name of a schema: lower-case letters", error.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("a")]
    [InlineData("_")]
    [InlineData("pg")]
    [InlineData("coppice_2")]
    [InlineData("abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuv")]
    public void A_name_of_a_schema_is_taken(string name) => Assert.Contains($"{name}.tasks", PostgreSqlSchema.CreateScript(name), StringComparison.Ordinal);

    [Fact]
    public async Task No_word_that_the_server_reserves_is_taken_for_a_schema()
    {
        var source = await PostgresServer.DataSourceAsync();
        await using var command = source.CreateCommand("SELECT array_agg(word) FROM pg_get_keywords() WHERE catcode IN ('R', 'T')");

        var words = (string[])(await command.ExecuteScalarAsync(Stop))!;

        Assert.True(words.Length > 90);
        Assert.All(words, word => Assert.Throws<ArgumentException>(() => PostgreSqlSchema.CreateScript(word)));
    }

    [Fact]
    public void A_missing_name_is_a_mistake()
    {
        Assert.Throws<ArgumentNullException>(() => PostgreSqlSchema.CreateScript(null!));
        Assert.Throws<ArgumentNullException>(() => PostgreSqlSchema.CreateGrants(null!));
        Assert.Throws<ArgumentNullException>(() => PostgreSqlSchema.CreateGrants("app", null!));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1000)]
    public void A_version_that_there_is_not_is_a_mistake(int version) =>
        Assert.Equal("fromVersion", Assert.Throws<ArgumentOutOfRangeException>(() => PostgreSqlSchema.CreateScript("coppice", version)).ParamName);

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("a\0b")]
    [InlineData("public")]
    [InlineData("none")]
    [InlineData("abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl")]
    [InlineData("ääääääääääääääääääääääääääääääää")]
    public void What_is_no_role_is_refused(string role) =>
        Assert.Equal("role", Assert.Throws<ArgumentException>(() => PostgreSqlSchema.CreateGrants(role)).ParamName);

    [Fact]
    public void Half_a_character_is_no_role() =>
        Assert.Equal("role", Assert.Throws<ArgumentException>(() => PostgreSqlSchema.CreateGrants("a\ud800")).ParamName);

    [Fact]
    public void A_role_stands_between_quotes() =>
        Assert.Contains("TO \"a\"\"; DROP TABLE x; --\";", PostgreSqlSchema.CreateGrants("a\"; DROP TABLE x; --"), StringComparison.Ordinal);
}
