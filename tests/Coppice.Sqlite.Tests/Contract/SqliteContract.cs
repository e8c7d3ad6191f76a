using Coppice.StoreContract;

namespace Coppice.Sqlite.Tests.Contract;

public sealed class SqliteContractSuite : ContractSuiteContract<SqliteStoreFixture>;

public sealed class SqliteAddTask : AddTaskContract<SqliteStoreFixture>;

public sealed class SqliteAgentMail : AgentMailContract<SqliteStoreFixture>;

public sealed class SqliteAppendConversation : AppendConversationContract<SqliteStoreFixture>;

public sealed class SqliteBatches : BatchesContract<SqliteStoreFixture>;

public sealed class SqliteCancelRequests : CancelRequestsContract<SqliteStoreFixture>;

public sealed class SqliteChangeFeed : ChangeFeedContract<SqliteStoreFixture>;

public sealed class SqliteChildLookup : ChildLookupContract<SqliteStoreFixture>;

public sealed class SqliteClaimOrder : ClaimOrderContract<SqliteStoreFixture>;

public sealed class SqliteClaimWork : ClaimWorkContract<SqliteStoreFixture>;

public sealed class SqliteContinuedAgents : ContinuedAgentsContract<SqliteStoreFixture>;

public sealed class SqliteConversations : ConversationsContract<SqliteStoreFixture>;

public sealed class SqliteEventNumbering : EventNumberingContract<SqliteStoreFixture>;

public sealed class SqliteFences : FencesContract<SqliteStoreFixture>;

public sealed class SqliteHandBack : HandBackContract<SqliteStoreFixture>;

public sealed class SqliteIdempotencyKeys : IdempotencyKeysContract<SqliteStoreFixture>;

public sealed class SqliteLaw01Acknowledged : Law01AcknowledgedContract<SqliteStoreFixture>;

public sealed class SqliteLaw02OneTerminalState : Law02OneTerminalStateContract<SqliteStoreFixture>;

public sealed class SqliteLaw03BodyDecides : Law03BodyDecidesContract<SqliteStoreFixture>;

public sealed class SqliteLaw03StarvedPool : Law03StarvedPoolContract<SqliteStoreFixture>;

public sealed class SqliteLaw04Names : Law04NamesContract<SqliteStoreFixture>;

public sealed class SqliteLaw05Ids : Law05IdsContract<SqliteStoreFixture>;

public sealed class SqliteLaw06Lineage : Law06LineageContract<SqliteStoreFixture>;

public sealed class SqliteLaw07Cancellation : Law07CancellationContract<SqliteStoreFixture>;

public sealed class SqliteLaw07Interleavings : Law07InterleavingsContract<SqliteStoreFixture>;

public sealed class SqliteLaw08Inbox : Law08InboxContract<SqliteStoreFixture>;

public sealed class SqliteLaw08Mail : Law08MailContract<SqliteStoreFixture>;

public sealed class SqliteLaw08UnreadMail : Law08UnreadMailContract<SqliteStoreFixture>;

public sealed class SqliteLaw09Orphans : Law09OrphansContract<SqliteStoreFixture>;

public sealed class SqliteLaw10FuzzedRestore : Law10FuzzedRestoreContract<SqliteStoreFixture>;

public sealed class SqliteLaw10Restore : Law10RestoreContract<SqliteStoreFixture>;

public sealed class SqliteLaw11Messages : Law11MessagesContract<SqliteStoreFixture>;

public sealed class SqliteLaw11ThreadMessages : Law11ThreadMessagesContract<SqliteStoreFixture>;

public sealed class SqliteLaw11Transport : Law11TransportContract<SqliteStoreFixture>;

public sealed class SqliteLaw12StoreFailure : Law12StoreFailureContract<SqliteStoreFixture>;

public sealed class SqliteLaw13Shutdown : Law13ShutdownContract<SqliteStoreFixture>;

public sealed class SqliteLaw14Memory : Law14MemoryContract<SqliteStoreFixture>;

public sealed class SqliteLaw14NothingPilesUp : Law14NothingPilesUpContract<SqliteStoreFixture>;

public sealed class SqliteLimits : LimitsContract<SqliteStoreFixture>;

public sealed class SqliteLongIds : LongIdsContract<SqliteStoreFixture>;

public sealed class SqliteListener : ListenerContract<SqliteStoreFixture>;

public sealed class SqliteListing : ListingContract<SqliteStoreFixture>;

public sealed class SqliteLiveInput : LiveInputContract<SqliteStoreFixture>;

public sealed class SqliteMailbox : MailboxContract<SqliteStoreFixture>;

public sealed class SqliteMessageStorage : MessageStorageContract<SqliteStoreFixture>;

public sealed class SqliteOutbox : OutboxContract<SqliteStoreFixture>;

public sealed class SqlitePendingAgents : PendingAgentsContract<SqliteStoreFixture>;

public sealed class SqlitePruneTasks : PruneTasksContract<SqliteStoreFixture>;

public sealed class SqliteRecoveredWork : RecoveredWorkContract<SqliteStoreFixture>;

public sealed class SqliteReferenceShortfalls : ReferenceShortfallsContract<SqliteStoreFixture>;

public sealed class SqliteRestoreTasks : RestoreTasksContract<SqliteStoreFixture>;

public sealed class SqliteSettleOrder : SettleOrderContract<SqliteStoreFixture>;

public sealed class SqliteStateMoves : StateMovesContract<SqliteStoreFixture>;

public sealed class SqliteSteps : StepsContract<SqliteStoreFixture>;

public sealed class SqliteStopTree : StopTreeContract<SqliteStoreFixture>;

public sealed class SqliteUnreadMail : UnreadMailContract<SqliteStoreFixture>;

public sealed class SqliteDurableTasks : DurableTasksContract<SqliteStoreFixture>;

public sealed class SqliteDurableRecovery : DurableRecoveryContract<SqliteStoreFixture>;

public sealed class SqliteDurableSteps : DurableStepsContract<SqliteStoreFixture>;

public sealed class SqliteDurableRetries : DurableRetriesContract<SqliteStoreFixture>;

public sealed class SqliteDurableScheduling : DurableSchedulingContract<SqliteStoreFixture>;

public sealed class SqliteDurableJoins : DurableJoinsContract<SqliteStoreFixture>;

public sealed class SqliteWorkCancel : WorkCancelContract<SqliteStoreFixture>;

public sealed class SqliteWorkExpiry : WorkExpiryContract<SqliteStoreFixture>;

public sealed class SqliteWorkLimits : WorkLimitsContract<SqliteStoreFixture>;

public sealed class SqliteWorkNews : WorkNewsContract<SqliteStoreFixture>;
