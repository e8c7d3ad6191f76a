using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace Coppice.Benchmarks;

/// <summary>Few iterations in this process. A project that the tool generates would be built under the rules of this repository and its lock files.</summary>
internal sealed class ShortRuns : ManualConfig
{
    public ShortRuns() => AddJob(Job.Default.WithToolchain(InProcessEmitToolchain.Instance).WithWarmupCount(3).WithIterationCount(10).WithUnrollFactor(1));
}
