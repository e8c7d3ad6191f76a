namespace Coppice.Tests.Work;

public sealed class TaskKindTests
{
    private static readonly Dictionary<string, Func<TaskKind>> OutOfRange = new()
    {
        ["empty name"] = () => new TaskKind<int, int>(""),
        ["blank name"] = () => new TaskKind<int, int>("  "),
        ["outer white space"] = () => new TaskKind<int, int>(" a"),
        ["control character"] = () => new TaskKind<int, int>("a\u0007"),
        ["long name"] = () => new TaskKind<int, int>(new string('k', 129)),
        ["version"] = () => new TaskKind<int, int>("k") { Version = 0 },
        ["attempt timeout"] = () => new TaskKind<int, int>("k") { AttemptTimeout = TimeSpan.Zero },
        ["long attempt timeout"] = () => new TaskKind<int, int>("k") { AttemptTimeout = TimeSpan.FromDays(50) },
        ["timeout"] = () => new TaskKind<int, int>("k") { Timeout = TimeSpan.Zero },
        ["long timeout"] = () => new TaskKind<int, int>("k") { Timeout = TimeSpan.FromDays(4000) },
        ["concurrency"] = () => new TaskKind<int, int>("k") { MaxConcurrency = 0 },
        ["concurrency of a thread"] = () => new TaskKind<int, int>("k") { MaxConcurrencyPerThread = 0 },
        ["crashes"] = () => new TaskKind<int, int>("k") { MaxCrashes = 0 },
        ["restart intensity"] = () => new TaskKind<int, int>("k") { RestartIntensity = new RestartIntensity(0, TimeSpan.FromMinutes(1)) },
        ["restart window"] = () => new TaskKind<int, int>("k") { RestartIntensity = new RestartIntensity(1, TimeSpan.Zero) },
        ["retries"] = () => new TaskKind<int, int>("k") { Retry = new RetryPolicy { MaxRetryAttempts = -1 } },
        ["retry delay"] = () => new TaskKind<int, int>("k") { Retry = new RetryPolicy { Delay = TimeSpan.FromTicks(-1) } },
        ["longest retry delay"] = () => new TaskKind<int, int>("k") { Retry = new RetryPolicy { MaxDelay = TimeSpan.FromDays(50) } },
    };

    public static TheoryData<string> Faults => [.. OutOfRange.Keys];

    [Theory]
    [MemberData(nameof(Faults))]
    public void What_a_kind_cannot_be_is_refused_when_it_is_made(string fault) => Assert.ThrowsAny<ArgumentException>(() => OutOfRange[fault]());

    [Fact]
    public void Its_type_is_its_name_unless_it_is_an_agent_or_says_otherwise()
    {
        Assert.Equal("crawl", new TaskKind<int, int>("crawl").Type);
        Assert.Equal(TaskTypes.SubAgent, new TaskKind<int, int>("crawl") { HasInbox = true }.Type);
        Assert.Equal("web", new TaskKind<int, int>("crawl") { Type = "web", HasInbox = true }.Type);
    }

    [Fact]
    public void A_name_is_registered_once()
    {
        var kinds = new TaskRegistry { { new TaskKind<int, int>("crawl"), static (input, _) => Task.FromResult(input) } };

        var refused = Assert.Throws<ArgumentException>(() => kinds.Add(new TaskKind<string, string>("crawl"), static (input, _) => Task.FromResult(input)));

        Assert.Contains("'crawl' is registered already", refused.Message, StringComparison.Ordinal);
        Assert.Equal(["crawl"], kinds.Select(static kind => kind.Name));
        Assert.Equal(1, kinds.Count);
    }
}
