using Coppice;
using Coppice.Samples.DurableResearch;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

if (!SampleOptions.TryParse(args, out var options, out var problem))
{
    await Console.Error.WriteLineAsync(problem);
    return 2;
}

if (options.WantsHelp)
{
    Console.WriteLine(SampleOptions.Help);
    return 0;
}

Directory.CreateDirectory(options.Folder);
var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
builder.Logging.ClearProviders();
builder.Services.AddSingleton(_ => new Ledger(Path.Combine(options.Folder, "ledger.log"), Console.Out));
builder.Services.AddSingleton<Sources>();
builder.Services.AddCoppice()
    .UseSqlite(Path.Combine(options.Folder, "tasks.db"))
    .AddTask<ResearchTask>()
    .AddAgent(Critic.Name, Critic.Create);

using var host = builder.Build();
await host.StartAsync();
var stopping = host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
var manager = host.Services.GetRequiredService<BackgroundTaskManager>();
try
{
    // The key makes the second run find the task of the first, whatever became of the process in between.
    var research = await manager.SpawnAsync(
        ResearchTask.Kind, "chat-1", new ResearchInput(options.Question), new SpawnOptions { IdempotencyKey = options.Question }, stopping);
    Console.WriteLine($"{research.Id} {(research.WasKnown ? "goes on" : "begins")}: {options.Question}");

    var report = await research.ResultAsync(stopping);
    Console.WriteLine();
    Console.WriteLine(report.Text);
    Console.WriteLine();
    Console.WriteLine(host.Services.GetRequiredService<Ledger>().Audit());
    return 0;
}
catch (OperationCanceledException) when (stopping.IsCancellationRequested)
{
    await Console.Error.WriteLineAsync("Stopped. The same command goes on.");
    return 130;
}
catch (CoppiceException e)
{
    await Console.Error.WriteLineAsync(e.Message);
    return 1;
}
finally
{
    await host.StopAsync();
}
