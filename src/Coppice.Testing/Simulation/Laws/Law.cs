namespace Coppice.Testing;

/// <summary>One of Coppice's laws, judged over a history that has come to its end.</summary>
internal abstract class Law
{
    /// <summary>Gets all laws, in the order in which they are judged.</summary>
    internal static IReadOnlyList<Law> All { get; } =
    [
        new AcknowledgedMeansStored(), new BodiesStartOnce(), new FirstEndWins(), new BodyDecides(), new NamesAreUnique(), new IdsCount(),
        new LineageIsKept(), new NoChildOfACancelledParent(), new CancelReachesAll(), new CancelIsSignalled(), new OneTerminalEvent(),
        new EventsInOrder(), new MailCounts(), new MailStays(), new MailBelongsToItsThread(), new UnacknowledgedComesAgain(),
        new ConversationsStay(), new ConversationsHaveOneWriter(), new AppendsAcknowledge(),
        new UnreadMailIsToldOf(), new OnlyTheDeadAreOrphaned(), new FencedHostsStoreNothing(), new FencedBodiesAreSignalled(),
        new RestoreSkipsTheKnown(), new DeliveredMessagesArrive(), new DeliveredInputArrives(), new PostedMessagesEndOnce(),
        new OutgoingMessagesEndOnce(), new OneHostSendsAMessage(), new EndsLand(),
        new OnlyTheHolderWrites(), new ClaimsAreGivenOnce(), new AttemptsAreCounted(), new NeverMeansOnce(), new WorkIsNotLost(), new AttemptDecides(),
        new StepsRunOnce(), new StepsGiveWhatIsStored(), new CheckpointsStay(), new LimitsHold(), new RoomIsKept(), new KeysAreUnique(),
        new SleepsLast(), new JoinsAnswerTheSame(), new AgentsReadOn(), new NothingDueWaits(), new DueWorkIsBegunInTime(),
        new NothingFailsInside(), new Shutdown(), new EverythingLiveHasABody(),
    ];

    /// <summary>Gets the law, such as <c>Law 8: every ended task has exactly one terminal event</c>.</summary>
    internal abstract string Title { get; }

    /// <summary>How it was broken; nothing when it was kept.</summary>
    internal abstract IEnumerable<string> Judge(Evidence evidence);
}
