using Coppice.StoreContract;

namespace Coppice.PostgreSql.Tests.Contract;

public sealed class PostgreSqlContractSuite : ContractSuiteContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlAddTask : AddTaskContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlAgentMail : AgentMailContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlAppendConversation : AppendConversationContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlBatches : BatchesContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlCancelRequests : CancelRequestsContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlChangeFeed : ChangeFeedContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlChildLookup : ChildLookupContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlClaimOrder : ClaimOrderContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlClaimWork : ClaimWorkContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlContinuedAgents : ContinuedAgentsContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlConversations : ConversationsContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlEventNumbering : EventNumberingContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlFences : FencesContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlHandBack : HandBackContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlIdempotencyKeys : IdempotencyKeysContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlLaw01Acknowledged : Law01AcknowledgedContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlLaw02OneTerminalState : Law02OneTerminalStateContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlLaw03BodyDecides : Law03BodyDecidesContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlLaw03StarvedPool : Law03StarvedPoolContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlLaw04Names : Law04NamesContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlLaw05Ids : Law05IdsContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlLaw06Lineage : Law06LineageContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlLaw07Cancellation : Law07CancellationContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlLaw07Interleavings : Law07InterleavingsContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlLaw08Inbox : Law08InboxContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlLaw08Mail : Law08MailContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlLaw08UnreadMail : Law08UnreadMailContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlLaw09Orphans : Law09OrphansContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlLaw10FuzzedRestore : Law10FuzzedRestoreContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlLaw10Restore : Law10RestoreContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlLaw11Messages : Law11MessagesContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlLaw11ThreadMessages : Law11ThreadMessagesContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlLaw11Transport : Law11TransportContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlLaw12StoreFailure : Law12StoreFailureContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlLaw13Shutdown : Law13ShutdownContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlLaw14Memory : Law14MemoryContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlLaw14NothingPilesUp : Law14NothingPilesUpContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlLimits : LimitsContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlLongIds : LongIdsContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlListener : ListenerContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlListing : ListingContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlLiveInput : LiveInputContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlMailbox : MailboxContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlMessageStorage : MessageStorageContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlOutbox : OutboxContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlPendingAgents : PendingAgentsContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlPruneTasks : PruneTasksContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlRecoveredWork : RecoveredWorkContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlReferenceShortfalls : ReferenceShortfallsContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlRestoreTasks : RestoreTasksContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlSettleOrder : SettleOrderContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlStateMoves : StateMovesContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlSteps : StepsContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlStopTree : StopTreeContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlUnreadMail : UnreadMailContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlDurableTasks : DurableTasksContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlDurableRecovery : DurableRecoveryContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlDurableSteps : DurableStepsContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlDurableRetries : DurableRetriesContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlDurableScheduling : DurableSchedulingContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlDurableJoins : DurableJoinsContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlWorkCancel : WorkCancelContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlWorkExpiry : WorkExpiryContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlWorkLimits : WorkLimitsContract<PostgreSqlStoreFixture>;

public sealed class PostgreSqlWorkNews : WorkNewsContract<PostgreSqlStoreFixture>;
