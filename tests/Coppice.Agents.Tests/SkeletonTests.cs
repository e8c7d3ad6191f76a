namespace Coppice.Agents.Tests;
public sealed class SkeletonTests { [Fact] public void Loads() => Assert.NotNull(typeof(Coppice.BackgroundTaskManager)); }
