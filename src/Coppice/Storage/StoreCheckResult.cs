namespace Coppice;

/// <summary>What came of a <see cref="StoreCheck"/>.</summary>
public enum StoreCheckResult
{
    /// <summary>It is as it should be.</summary>
    Ok,

    /// <summary>Hosts work, but not for ever, not as safely or not as fast as they could.</summary>
    Warning,

    /// <summary>Hosts do not work, or what they acknowledge is not kept.</summary>
    Failed,
}
