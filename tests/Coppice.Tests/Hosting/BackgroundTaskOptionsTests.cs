using Microsoft.Extensions.Options;

namespace Coppice.Tests.Hosting;

public sealed class BackgroundTaskOptionsTests
{
    private static readonly Dictionary<string, Action<BackgroundTaskOptions>> OutOfRange = new()
    {
        ["TimeProvider is null"] = o => o.TimeProvider = null!,
        ["LoggerFactory is null"] = o => o.LoggerFactory = null!,
        ["ShutdownGracePeriod (-00:00:00.0010000)"] = o => o.ShutdownGracePeriod = TimeSpan.FromMilliseconds(-1),
        ["ShutdownGracePeriod (50.00:00:00)"] = o => o.ShutdownGracePeriod = TimeSpan.FromDays(50),
        ["HostTimeout (00:00:00.0490000)"] = o => o.HostTimeout = TimeSpan.FromMilliseconds(49),
        ["HostTimeout (50.00:00:00)"] = o => o.HostTimeout = TimeSpan.FromDays(50),
        ["HostName"] = o => o.HostName = new string('h', 129),
        ["MaxNameLength (0)"] = o => o.MaxNameLength = 0,
        ["MaxNameLength (129)"] = o => o.MaxNameLength = 129,
        ["MaxIdBytes (0)"] = o => o.MaxIdBytes = 0,
        ["MaxIdBytes (4097)"] = o => o.MaxIdBytes = 4097,
        ["MaxDescriptionBytes (-1)"] = o => o.MaxDescriptionBytes = -1,
        ["MaxResultBytes (15)"] = o => o.MaxResultBytes = 15,
        ["MaxEventPayloadBytes (15)"] = o => o.MaxEventPayloadBytes = 15,
        ["MaxErrorBytes (63)"] = o => o.MaxErrorBytes = 63,
        ["MaxMessageBytes (0)"] = o => o.MaxMessageBytes = 0,
        ["MaxConversationEntryBytes (15)"] = o => o.MaxConversationEntryBytes = 15,
        ["MaxConversationEntries (0)"] = o => o.MaxConversationEntries = 0,
        ["MaxUnflushedEvents (0)"] = o => o.MaxUnflushedEvents = 0,
        ["MaxUnreadEvents (0)"] = o => o.MaxUnreadEvents = 0,
        ["MaxUnreadMessages (0)"] = o => o.MaxUnreadMessages = 0,
        ["MessageTimeToLive (00:00:00.0000010)"] = o => o.MessageTimeToLive = TimeSpan.FromTicks(10),
        ["MessageIdMemory (-00:00:00.0010000)"] = o => o.MessageIdMemory = TimeSpan.FromMilliseconds(-1),
        ["MaxFailedMessages (0)"] = o => o.MaxFailedMessages = 0,
        ["MaxMessagesUnderWay (0)"] = o => o.MaxMessagesUnderWay = 0,
        ["MaxMessageAttempts (0)"] = o => o.MaxMessageAttempts = 0,
        ["FirstMessageRetry (00:00:00)"] = o => o.FirstMessageRetry = TimeSpan.Zero,
        ["LongestMessageRetry (00:00:00.5000000)"] = o => o.LongestMessageRetry = TimeSpan.FromSeconds(0.5),
        ["LongestMessageRetry (50.00:00:00)"] = o => o.LongestMessageRetry = TimeSpan.FromDays(50),
        ["MessageSendTimeout (00:00:00)"] = o => o.MessageSendTimeout = TimeSpan.Zero,
        ["AttemptGracePeriod (-00:00:00.0010000)"] = o => o.AttemptGracePeriod = TimeSpan.FromMilliseconds(-1),
        ["AttemptGracePeriod (50.00:00:00)"] = o => o.AttemptGracePeriod = TimeSpan.FromDays(50),
        ["MaxConcurrentAttempts (0)"] = o => o.MaxConcurrentAttempts = 0,
        ["MaxInputBytes (15)"] = o => o.MaxInputBytes = 15,
        ["MaxStepBytes (15)"] = o => o.MaxStepBytes = 15,
        ["MaxSteps (0)"] = o => o.MaxSteps = 0,
        ["MaxDepth (0)"] = o => o.MaxDepth = 0,
        ["MaxDepth (65)"] = o => o.MaxDepth = 65,
        ["MaxWatchBacklog (0)"] = o => o.MaxWatchBacklog = 0,
    };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static TheoryData<string> Faults => [.. OutOfRange.Keys];

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task An_option_out_of_range_stops_the_start_and_the_error_names_it_and_its_value(string fault)
    {
        var options = new BackgroundTaskOptions();
        OutOfRange[fault](options);
        await using var store = new InMemoryTaskStore();

        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => BackgroundTaskManager.StartAsync(store, options, Stop).AsTask());

        Assert.Contains("BackgroundTaskOptions." + fault, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task All_faults_are_told_at_once()
    {
        var options = new BackgroundTaskOptions();
        foreach (var spoil in new[] { OutOfRange["MaxDepth (0)"], OutOfRange["HostName"], OutOfRange["MaxResultBytes (15)"] })
        {
            spoil(options);
        }

        await using var store = new InMemoryTaskStore();
        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => BackgroundTaskManager.StartAsync(store, options, Stop).AsTask());

        Assert.Equal(3, error.Failures.Count());
    }

    [Fact]
    public async Task The_edges_of_every_range_are_allowed()
    {
        await using var store = new InMemoryTaskStore();
        await using var smallest = await BackgroundTaskManager.StartAsync(
            store,
            new()
            {
                ShutdownGracePeriod = TimeSpan.Zero, HostTimeout = TimeSpan.FromMilliseconds(50), HostName = "h", MaxNameLength = 1, MaxIdBytes = 1,
                MaxDescriptionBytes = 0, MaxResultBytes = 16, MaxEventPayloadBytes = 16, MaxErrorBytes = 64, MaxMessageBytes = 1,
                MaxUnflushedEvents = 1, MaxUnreadEvents = 1, MaxUnreadMessages = 1, MessageTimeToLive = TimeSpan.FromMilliseconds(1), MessageIdMemory = TimeSpan.Zero,
                MaxFailedMessages = 1, MaxMessagesUnderWay = 1, MaxMessageAttempts = 1, FirstMessageRetry = TimeSpan.FromMilliseconds(1),
                LongestMessageRetry = TimeSpan.FromMilliseconds(1), MessageSendTimeout = TimeSpan.FromMilliseconds(1), MaxDepth = 1, MaxWatchBacklog = 1,
            },
            Stop);
    }

    [Fact]
    public async Task A_manager_keeps_the_options_it_was_started_with()
    {
        var options = new BackgroundTaskOptions { MaxNameLength = 8, ShutdownGracePeriod = TimeSpan.Zero };
        await using var store = new InMemoryTaskStore();
        await using var manager = await BackgroundTaskManager.StartAsync(store, options, Stop);

        options.MaxNameLength = 1;

        await manager.SpawnAsync("t", task => task.WhenCancelledAsync(), new() { Name = "crawler" }, Stop);
    }
}
