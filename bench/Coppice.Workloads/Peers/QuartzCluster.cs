using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Npgsql;
using Quartz;

namespace Coppice.Workloads;

/// <summary>
/// Jobs that do nothing in Quartz.NET's clustered store in PostgreSQL: each caller schedules one that fires at once, awaits its run, and
/// schedules the next.
/// </summary>
internal static class QuartzCluster
{
    private static readonly ConcurrentDictionary<string, TaskCompletionSource> s_running = new(StringComparer.Ordinal);

    internal static async Task<Figures> RunAsync(Parameters parameters)
    {
        var callers = parameters.Int("callers", 256);
        await using var schema = await PostgresSchema.CreateAsync(parameters);
        await schema.ExecuteAsync("CREATE SCHEMA {schema}");
        var server = new NpgsqlConnectionStringBuilder(PostgresSchema.Server) { SearchPath = schema.Name };
        var scheduler = await QuartzSchedulerBuilder.Create(quartz =>
        {
            quartz.ConfigureScheduler(static options => options.GenerateInstanceId = true);
            quartz.UseDefaultThreadPool(callers);
            quartz.UsePersistentStore(store =>
            {
                store.UsePostgres(NpgsqlFactory.Instance, server.ConnectionString);
                store.UseClustering(static _ => { });
                store.ProvisionSchema();
            });
        }).BuildScheduler(CancellationToken.None);
        await scheduler.Start(CancellationToken.None);
        await RunAsync(parameters.Int("unmeasured", 512));
        var start = Stopwatch.GetTimestamp();
        var jobs = await RunAsync(parameters.Int("tasks", 1024));
        var elapsed = Stopwatch.GetElapsedTime(start);
        await scheduler.Shutdown(waitForJobsToComplete: true, CancellationToken.None);
        return new Figures { ["per_second"] = jobs / elapsed.TotalSeconds };

        async Task<int> RunAsync(int count)
        {
            await Callers.RunAsync(callers, async _ =>
            {
                for (var job = 0; job < count / callers; job++)
                {
                    await RunJobAsync(scheduler);
                }
            });
            return count / callers * callers;
        }
    }

    private static async Task RunJobAsync(IScheduler scheduler)
    {
        var name = Guid.NewGuid().ToString("N", CultureInfo.InvariantCulture);
        var ran = s_running[name] = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var job = JobBuilder.Create<EmptyJob>().WithIdentity(name).Build();
        var trigger = TriggerBuilder.Create(TimeProvider.System).WithIdentity(name).StartNow().Build();
        await scheduler.ScheduleJob(job, trigger, cancellationToken: CancellationToken.None);
        await ran.Task;
    }

#pragma warning disable CA1812 // Quartz makes it
    private sealed class EmptyJob : IJob
#pragma warning restore CA1812
    {
        public ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken)
        {
            if (s_running.TryRemove(context.JobDetail.Key.Name, out var ran))
            {
                ran.SetResult();
            }

            return ValueTask.CompletedTask;
        }
    }
}
