namespace Coppice.ClusterHost;

/// <summary>A clock that is wrong by some time, and runs at the right speed.</summary>
internal sealed class SkewedTime(TimeSpan ahead) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + ahead;
}
