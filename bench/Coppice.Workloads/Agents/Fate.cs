using Coppice.Testing;

namespace Coppice.Workloads;

/// <summary>When a process dies.</summary>
internal static class Fate
{
    /// <summary>Chooses a moment, and sees to it.</summary>
    /// <returns>What has ended when nothing of it is left to happen.</returns>
    internal static Task Choose(SimulationWorld world, SimulatedHost host, CoordinatorModel model)
    {
        switch (world.Choose(5))
        {
            case 0:
                // Spawns, ends of tasks, acknowledgements: all are commits.
                host.CrashAtCommit(1 + world.Choose(80), (CrashMoment)world.Choose(3));
                return Task.CompletedTask;

            case 1:
                // The model has answered, and the next commit would acknowledge what it was told.
                CrashAfterAnswer(1 + world.Choose(12), () => host.CrashAtCommit(1, (CrashMoment)world.Choose(3)));
                return Task.CompletedTask;

            case 2:
                CrashAfterAnswer(1 + world.Choose(12), host.Crash);
                return Task.CompletedTask;

            case 3:
                // While the model thinks, or the turn waits.
                return AfterAsync(TimeSpan.FromMilliseconds(world.Choose(70_000)), CrashAsync);

            default:
                // Without a grace period.
                return AfterAsync(TimeSpan.FromMilliseconds(world.Choose(70_000)), host.ShutDownAsync);
        }

        void CrashAfterAnswer(int answer, Action crash)
        {
            model.Answered = () =>
            {
                if (--answer == 0)
                {
                    crash();
                }
            };
        }

        async Task AfterAsync(TimeSpan time, Func<Task> end)
        {
            await world.DelayAsync(time);
            await end();
        }

        Task CrashAsync()
        {
            host.Crash();
            return Task.CompletedTask;
        }
    }
}
