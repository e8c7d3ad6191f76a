namespace Coppice.Tests.Tasks;

/// <summary>Law 4, as far as one name can be judged by itself.</summary>
public sealed class NameTests
{
    private readonly TaskRules _rules = new(new BackgroundTaskOptions());

    public static TheoryData<string> Reserved =>
    [
        "parent", "self", "all", "broadcast", "Parent", "SELF", "aLL", "BROADCAST", "bg_0", "bg_1", "BG_1", "Bg_007", "bg_99999999999999999999",
    ];

    public static TheoryData<string> Invalid =>
    [
        "", " ", "\t", " crawler", "crawler ", "\u00a0crawler", "crawler\u2003", "\u3000", "a\nb", "a\0b", "\u007f", "a\u0085b", "a\u001bb",
        "\ud800", "a\ud800b", "a\udc00", "\udc00\ud800", new string('a', 129),
    ];

    public static TheoryData<string> Allowed =>
    [
        "a", "crawler", "Crawler 2", "self-check", "parents", "bg_", "bg_a", "bg_1a", "xbg_1", "全部", "😀", "é", "e\u0301", "../../etc/passwd",
        "<script>", "'; DROP TABLE task; --", "{name}", "%s", new string('a', 128), string.Concat(Enumerable.Repeat("😀", 64)),
    ];

    [Theory]
    [MemberData(nameof(Reserved))]
    public void Law04_A_name_that_means_something_else_is_reserved_in_any_case(string name)
    {
        var refusal = Assert.Throws<SpawnException>(() => _rules.CheckName(name));

        Assert.Equal(SpawnError.ReservedName, refusal.Error);
        Assert.Contains(name, refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Invalid), DisableDiscoveryEnumeration = true)]
    public void Law04_A_malformed_name_is_invalid_and_the_refusal_says_why(string name)
    {
        var refusal = Assert.Throws<SpawnException>(() => _rules.CheckName(name));

        Assert.Equal(SpawnError.InvalidName, refusal.Error);
        Assert.NotEqual("", refusal.Message);
    }

    [Theory]
    [MemberData(nameof(Allowed), DisableDiscoveryEnumeration = true)]
    public void Law04_Every_other_name_is_allowed(string name) => _rules.CheckName(name);

    [Fact]
    public void Law04_A_task_needs_no_name() => _rules.CheckName(null);

    [Fact]
    public void A_name_over_its_limit_is_told_its_length_and_the_limit()
    {
        var rules = new TaskRules(new BackgroundTaskOptions { MaxNameLength = 10 });

        var refusal = Assert.Throws<SpawnException>(() => rules.CheckName("eleven char"));

        Assert.Contains("11", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("MaxNameLength is 10", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "empty")]
    [InlineData(" a", "white space")]
    [InlineData("a\nb", "control character")]
    public void Law04_The_refusal_of_a_malformed_name_says_what_is_wrong_with_it(string name, string why) =>
        Assert.Contains(why, Assert.Throws<SpawnException>(() => _rules.CheckName(name)).Message, StringComparison.Ordinal);

    [Fact]
    public void Law04_The_refusal_of_a_name_that_is_no_text_says_so() =>
        Assert.Contains("lone surrogate", Assert.Throws<SpawnException>(() => _rules.CheckName("a\ud800b")).Message, StringComparison.Ordinal);
}
