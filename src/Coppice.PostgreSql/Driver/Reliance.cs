namespace Coppice.PostgreSql;

/// <summary>On what a transaction relies that begins ahead, beside its threads.</summary>
/// <param name="SharedLocks">The keys of the locks that it takes before all others, and shares.</param>
/// <param name="OpenHosts">The open hosts, as <c>hold</c> takes them.</param>
/// <param name="RestoredThrough">The last number of a task that came with a snapshot.</param>
/// <param name="Facts">The state of what is known of threads without their locks.</param>
internal readonly record struct Reliance(long[] SharedLocks, long[] OpenHosts, long RestoredThrough, long Facts);
