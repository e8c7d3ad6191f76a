using Coppice.StoreContract;

namespace Coppice.Tests.Contract;

public sealed class InMemoryContractSuite : ContractSuiteContract<InMemoryStoreFixture>;

public sealed class InMemoryChangeFeed : ChangeFeedContract<InMemoryStoreFixture>;

public sealed class InMemoryLaw01Acknowledged : Law01AcknowledgedContract<InMemoryStoreFixture>;

public sealed class InMemoryLaw02OneTerminalState : Law02OneTerminalStateContract<InMemoryStoreFixture>;

public sealed class InMemoryLaw03BodyDecides : Law03BodyDecidesContract<InMemoryStoreFixture>;

public sealed class InMemoryLaw03StarvedPool : Law03StarvedPoolContract<InMemoryStoreFixture>;

public sealed class InMemoryLaw04Names : Law04NamesContract<InMemoryStoreFixture>;

public sealed class InMemoryLaw05Ids : Law05IdsContract<InMemoryStoreFixture>;

public sealed class InMemoryLaw06Lineage : Law06LineageContract<InMemoryStoreFixture>;

public sealed class InMemoryLaw07Cancellation : Law07CancellationContract<InMemoryStoreFixture>;

public sealed class InMemoryLaw07Interleavings : Law07InterleavingsContract<InMemoryStoreFixture>;

public sealed class InMemoryLaw08Inbox : Law08InboxContract<InMemoryStoreFixture>;

public sealed class InMemoryLaw08Mail : Law08MailContract<InMemoryStoreFixture>;

public sealed class InMemoryLaw08UnreadMail : Law08UnreadMailContract<InMemoryStoreFixture>;

public sealed class InMemoryLaw09Orphans : Law09OrphansContract<InMemoryStoreFixture>;

public sealed class InMemoryLaw10FuzzedRestore : Law10FuzzedRestoreContract<InMemoryStoreFixture>;

public sealed class InMemoryLaw10Restore : Law10RestoreContract<InMemoryStoreFixture>;

public sealed class InMemoryLaw11Messages : Law11MessagesContract<InMemoryStoreFixture>;

public sealed class InMemoryLaw11ThreadMessages : Law11ThreadMessagesContract<InMemoryStoreFixture>;

public sealed class InMemoryLaw11Transport : Law11TransportContract<InMemoryStoreFixture>;

public sealed class InMemoryLaw12StoreFailure : Law12StoreFailureContract<InMemoryStoreFixture>;

public sealed class InMemoryLaw13Shutdown : Law13ShutdownContract<InMemoryStoreFixture>;

public sealed class InMemoryLaw14Memory : Law14MemoryContract<InMemoryStoreFixture>;

public sealed class InMemoryLaw14NothingPilesUp : Law14NothingPilesUpContract<InMemoryStoreFixture>;

public sealed class InMemoryLimits : LimitsContract<InMemoryStoreFixture>;

public sealed class InMemoryLongIds : LongIdsContract<InMemoryStoreFixture>;

public sealed class InMemoryReferenceShortfalls : ReferenceShortfallsContract<InMemoryStoreFixture>;

public sealed class InMemoryAddTask : AddTaskContract<InMemoryStoreFixture>;

public sealed class InMemoryAgentMail : AgentMailContract<InMemoryStoreFixture>;

public sealed class InMemoryAppendConversation : AppendConversationContract<InMemoryStoreFixture>;

public sealed class InMemoryBatches : BatchesContract<InMemoryStoreFixture>;

public sealed class InMemoryCancelRequests : CancelRequestsContract<InMemoryStoreFixture>;

public sealed class InMemoryChildLookup : ChildLookupContract<InMemoryStoreFixture>;

public sealed class InMemoryClaimOrder : ClaimOrderContract<InMemoryStoreFixture>;

public sealed class InMemoryClaimWork : ClaimWorkContract<InMemoryStoreFixture>;

public sealed class InMemoryContinuedAgents : ContinuedAgentsContract<InMemoryStoreFixture>;

public sealed class InMemoryConversations : ConversationsContract<InMemoryStoreFixture>;

public sealed class InMemoryEventNumbering : EventNumberingContract<InMemoryStoreFixture>;

public sealed class InMemoryFences : FencesContract<InMemoryStoreFixture>;

public sealed class InMemoryHandBack : HandBackContract<InMemoryStoreFixture>;

public sealed class InMemoryIdempotencyKeys : IdempotencyKeysContract<InMemoryStoreFixture>;

public sealed class InMemoryListener : ListenerContract<InMemoryStoreFixture>;

public sealed class InMemoryListing : ListingContract<InMemoryStoreFixture>;

public sealed class InMemoryLiveInput : LiveInputContract<InMemoryStoreFixture>;

public sealed class InMemoryMailbox : MailboxContract<InMemoryStoreFixture>;

public sealed class InMemoryMessageStorage : MessageStorageContract<InMemoryStoreFixture>;

public sealed class InMemoryOutbox : OutboxContract<InMemoryStoreFixture>;

public sealed class InMemoryPendingAgents : PendingAgentsContract<InMemoryStoreFixture>;

public sealed class InMemoryPruneTasks : PruneTasksContract<InMemoryStoreFixture>;

public sealed class InMemoryRecoveredWork : RecoveredWorkContract<InMemoryStoreFixture>;

public sealed class InMemoryRestoreTasks : RestoreTasksContract<InMemoryStoreFixture>;

public sealed class InMemorySettleOrder : SettleOrderContract<InMemoryStoreFixture>;

public sealed class InMemoryStateMoves : StateMovesContract<InMemoryStoreFixture>;

public sealed class InMemorySteps : StepsContract<InMemoryStoreFixture>;

public sealed class InMemoryStopTree : StopTreeContract<InMemoryStoreFixture>;

public sealed class InMemoryUnreadMail : UnreadMailContract<InMemoryStoreFixture>;

public sealed class InMemoryDurableTasks : DurableTasksContract<InMemoryStoreFixture>;

public sealed class InMemoryDurableRecovery : DurableRecoveryContract<InMemoryStoreFixture>;

public sealed class InMemoryDurableSteps : DurableStepsContract<InMemoryStoreFixture>;

public sealed class InMemoryDurableRetries : DurableRetriesContract<InMemoryStoreFixture>;

public sealed class InMemoryDurableScheduling : DurableSchedulingContract<InMemoryStoreFixture>;

public sealed class InMemoryDurableJoins : DurableJoinsContract<InMemoryStoreFixture>;

public sealed class InMemoryWorkCancel : WorkCancelContract<InMemoryStoreFixture>;

public sealed class InMemoryWorkExpiry : WorkExpiryContract<InMemoryStoreFixture>;

public sealed class InMemoryWorkLimits : WorkLimitsContract<InMemoryStoreFixture>;

public sealed class InMemoryWorkNews : WorkNewsContract<InMemoryStoreFixture>;
