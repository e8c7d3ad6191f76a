namespace Coppice.ClusterHost;

/// <summary>What a host is told when it begins.</summary>
/// <param name="Name">Its name, of which there is only one, also among those that came before it.</param>
/// <param name="Seed">Where its chance begins.</param>
/// <param name="Skew">How far its clock is ahead.</param>
internal sealed record HostPlan(string Name, int Seed, TimeSpan Skew)
{
    internal TimeSpan HostTimeout { get; init; }

    /// <summary>Gets the way to the database, which is told by the environment for the password in it.</summary>
    internal static string ConnectionString => Environment.GetEnvironmentVariable("COPPICE_CLUSTER_DATABASE")!;

    internal static string Schema => Environment.GetEnvironmentVariable("COPPICE_CLUSTER_SCHEMA")!;
}
