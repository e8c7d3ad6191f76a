namespace Coppice.StoreContract;

/// <summary>When a <see cref="FaultyStore"/> fails.</summary>
public enum FaultMoment
{
    /// <summary>It does not.</summary>
    Never,

    /// <summary>In front of the commit, and without saying so: the answer may only have been lost, for all the caller knows.</summary>
    BeforeCommit,

    /// <summary>In front of the commit, saying that nothing was stored.</summary>
    KnownBeforeCommit,

    /// <summary>After the commit has landed and its batch was marked: the answer is lost on the way to the caller.</summary>
    AfterCommit,

    /// <summary>After the commit has landed, but the store itself lost the answer, so the batch is marked only when it is looked up.</summary>
    AfterCommitUnseen,
}
