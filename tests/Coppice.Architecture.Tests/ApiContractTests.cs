namespace Coppice.Architecture.Tests;

/// <summary>What the compiler cannot check of the contract that <see cref="ApiContractCompiles"/> holds.</summary>
public sealed class ApiContractTests
{
    [Fact]
    public void Enums_have_their_members_in_the_order_they_were_published_in()
    {
        Assert.Equal(["Pending", "Running", "InputRequired", "Completed", "Failed", "Cancelled"], Enum.GetNames<TaskState>());
        Assert.Equal(
            ["Delivered", "TaskNotFound", "NotOwner", "TaskTerminated", "NoInbox", "InboxClosed", "InboxFull"], Enum.GetNames<SendResult>());
        Assert.Equal(
            ["ReservedName", "DuplicateName", "InvalidName", "ParentCancelled", "TooDeep", "ShuttingDown", "ContinuesUnknown", "AgentBusy", "IdempotencyKeyReused"],
            Enum.GetNames<SpawnError>());
        Assert.Equal(["DoneOnly", "EachEvent", "Silent"], Enum.GetNames<NotifyPolicy>());
    }

    [Fact]
    public void Types_are_open_and_closed_as_published()
    {
        Type[] closed =
        [
            typeof(TaskOutcome), typeof(TaskLineage), typeof(TaskSnapshot), typeof(SpawnOptions), typeof(TaskCompleted), typeof(TaskFailed),
            typeof(TaskCancelled), typeof(CustomTaskEvent), typeof(ThreadMessage), typeof(LiveInput), typeof(BackgroundTaskManager), typeof(AgentTaskContext),
            typeof(Inbox), typeof(InboxItem),
        ];
        Type[] open = [typeof(TaskContext), typeof(SpawnException), typeof(TaskStoreException), typeof(InboxTakenOverException)];
        Type[] abstractTypes = [typeof(MailEvent), typeof(TaskEvent), typeof(CoppiceException)];

        Assert.All(closed, type => Assert.True(type.IsSealed, type.Name));
        Assert.All(open, type => Assert.False(type.IsSealed || type.IsAbstract, type.Name));
        Assert.All(abstractTypes, type => Assert.True(type is { IsAbstract: true, IsSealed: false }, type.Name));
    }

    [Theory]
    [InlineData(SpawnError.ReservedName, "reserved_name")]
    [InlineData(SpawnError.DuplicateName, "duplicate_name")]
    [InlineData(SpawnError.InvalidName, "invalid_name")]
    [InlineData(SpawnError.ParentCancelled, "parent_cancelled")]
    [InlineData(SpawnError.TooDeep, "too_deep")]
    [InlineData(SpawnError.ShuttingDown, "shutting_down")]
    [InlineData(SpawnError.ContinuesUnknown, "continues_unknown")]
    [InlineData(SpawnError.AgentBusy, "agent_busy")]
    [InlineData(SpawnError.IdempotencyKeyReused, "idempotency_key_reused")]
    public void A_refusal_has_its_stable_code(SpawnError error, string code)
    {
        var refusal = new SpawnException(error, "why");

        Assert.Equal((error, code, "why"), (refusal.Error, refusal.Code, refusal.Message));
    }

    [Fact]
    public void Faults_have_their_stable_codes()
    {
        var cause = new IOException("disk");
        var storeFault = new TaskStoreException("try again", isTransient: true, cause);

        Assert.Equal(("store_unavailable", true, cause), (storeFault.Code, storeFault.IsTransient, storeFault.InnerException));
        Assert.Equal("inbox_taken_over", new InboxTakenOverException("t").Code);
        Assert.Equal("watch_overrun", new WatchOverrunException(3).Code);
        Assert.Throws<ArgumentOutOfRangeException>(() => new SpawnException((SpawnError)99, "why"));
    }

    [Fact]
    public void Defaults_are_those_of_the_contract()
    {
        var task = new TaskSnapshot();
        var options = new BackgroundTaskOptions();

        Assert.Equal(("task", ""), (task.Type, task.Description));
        Assert.Equal("sub_agent", TaskTypes.SubAgent);
        Assert.Same(TaskLineage.None, new SpawnOptions().Lineage);
        Assert.Equal((TimeSpan.FromSeconds(25), TimeSpan.FromSeconds(15)), (options.ShutdownGracePeriod, options.HostTimeout));
        Assert.Equal((128, 256, 4096, 1 << 20, 1 << 20), (options.MaxNameLength, options.MaxIdBytes, options.MaxDescriptionBytes, options.MaxResultBytes, options.MaxEventPayloadBytes));
        Assert.Equal((16_384, 262_144, 10_000, 100_000, 10_000, 64), (options.MaxErrorBytes, options.MaxMessageBytes, options.MaxUnflushedEvents, options.MaxUnreadEvents, options.MaxUnreadMessages, options.MaxDepth));
    }
}
