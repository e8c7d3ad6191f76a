using System.Diagnostics;
using System.Globalization;
using Quartz;

namespace Coppice.Workloads;

/// <summary>Jobs that do nothing in Quartz.NET's store in memory, from the first that is scheduled until the last has run.</summary>
internal static class QuartzJobs
{
    private static Countdown s_left = new(0);

    internal static async Task<Figures> RunAsync(Parameters parameters)
    {
        var jobs = parameters.Int("tasks", 50_000);
        var scheduler = await QuartzSchedulerBuilder.Create(quartz => quartz.UseInMemoryStore(_ => { })).BuildScheduler(CancellationToken.None);
        await scheduler.Start(CancellationToken.None);
        await WarmUp.RunAsync(parameters.Int("warmup", 1500), () => MeasureAsync(scheduler, Math.Min(jobs, 5000)));
        var rate = await MeasureAsync(scheduler, jobs);
        await scheduler.Shutdown(waitForJobsToComplete: true, CancellationToken.None);
        return new Figures { ["per_second"] = rate };
    }

    private static int s_next;

    private static async Task<double> MeasureAsync(IScheduler scheduler, int jobs)
    {
        s_left = new Countdown(jobs);
        var start = Stopwatch.GetTimestamp();
        for (var i = 0; i < jobs; i++)
        {
            var name = s_next++.ToString(CultureInfo.InvariantCulture);
            var job = JobBuilder.Create<EmptyJob>().WithIdentity(name).Build();
            var trigger = TriggerBuilder.Create(TimeProvider.System).WithIdentity(name).StartNow().Build();
            await scheduler.ScheduleJob(job, trigger, cancellationToken: CancellationToken.None);
        }

        await s_left.Reached;
        return jobs / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

#pragma warning disable CA1812 // Quartz makes it
    private sealed class EmptyJob : IJob
#pragma warning restore CA1812
    {
        public ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken)
        {
            s_left.Signal();
            return ValueTask.CompletedTask;
        }
    }
}
