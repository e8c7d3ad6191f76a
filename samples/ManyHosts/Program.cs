using Coppice;
using Coppice.Samples.ManyHosts;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

if (!SampleOptions.TryParse(args, out var options))
{
    await Console.Error.WriteLineAsync("That cannot be understood. --help says more.");
    return 2;
}

if (options.Command == "help")
{
    Console.WriteLine(SampleOptions.Help);
    return 0;
}

if (Environment.GetEnvironmentVariable("COPPICE_POSTGRES") is not { Length: > 0 } server)
{
    await Console.Error.WriteLineAsync(
        "COPPICE_POSTGRES does not say where the database is. 'eng/postgres.sh start' gives you one. --help says more.");
    return 2;
}

var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
builder.Logging.ClearProviders();
builder.Services
    .AddCoppice(coppice =>
    {
        coppice.HostName = options.Name;

        // A demonstration has less patience than an application: a host that is silent is given up after three seconds, and five times as often hosts look for work.
        coppice.HostTimeout = TimeSpan.FromSeconds(3);
        coppice.MaxConcurrentAttempts = 6;
        if (options.Command == "serve")
        {
            Wood.Register(coppice.Tasks, options.Name, line => Console.WriteLine($"{options.Name} {line}"));
        }
    })
    .UsePostgreSql(
        server,
        store => store.Schema = Environment.GetEnvironmentVariable("COPPICE_SCHEMA") is { Length: > 0 } schema ? schema : "many_hosts");

using var host = builder.Build();
try
{
    await host.StartAsync();
}
catch (CoppiceException e)
{
    await Console.Error.WriteLineAsync(e.Message);
    return 1;
}

if (options.Command == "serve")
{
    Console.WriteLine($"{options.Name} is ready, process {Environment.ProcessId}");
    await host.WaitForShutdownAsync();
    return 0;
}

var stopping = host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
try
{
    var manager = host.Services.GetRequiredService<BackgroundTaskManager>();
    var plan = new Plan(Stems: 3, Twigs: 4);
    var wood = await manager.SpawnAsync(Wood.Kind, "forester", plan, new SpawnOptions { IdempotencyKey = "the wood" }, stopping);
    Console.WriteLine($"{wood.Id} is planted: a wood of {plan.Stems} stems with {plan.Twigs} twigs each, {Wood.RingsOfTwig} rings a twig.");
    await manager.WaitAsync(wood.Id, stopping);
    return await Report.WriteAsync(manager, wood.Id, plan, Console.Out) ? 0 : 1;
}
catch (OperationCanceledException) when (stopping.IsCancellationRequested)
{
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
