using System.Diagnostics;

namespace Coppice.Workloads;

/// <summary>Messages to one agent, each read and acknowledged by it.</summary>
internal static class MessagesWorkload
{
    internal static async Task<Figures> RunAsync(Parameters parameters)
    {
        var count = parameters.Int("messages", 300_000);
        var oneByOne = parameters.Text("read") != "batches";
        await using var store = new InMemoryTaskStore();
        await using var manager = await BackgroundTaskManager.StartAsync(store);
        await WarmUp.RunAsync(parameters.Int("warmup", 1500), () => MeasureAsync(manager, Math.Min(count, 20_000), oneByOne));
        return new Figures { ["per_second"] = await MeasureAsync(manager, count, oneByOne) };
    }

    /// <summary>Gets messages a second, from the first send until the last acknowledgement.</summary>
    private static async Task<double> MeasureAsync(BackgroundTaskManager manager, int count, bool oneByOne)
    {
        var agent = await manager.SpawnAgentAsync("thread", async context =>
        {
            for (var read = 0; read < count;)
            {
                var item = await context.Inbox.ReadAsync();
                read++;
                if (!oneByOne && await context.Inbox.DrainAsync() is [.., var last] more)
                {
                    read += more.Count;
                    item = last;
                }

                await context.Inbox.AckAsync(item.Sequence);
            }

            return TaskOutcome.Cancelled;
        });

        var from = new MessageSender("thread", "planner");
        var start = Stopwatch.GetTimestamp();
        for (var sent = 0; sent < count;)
        {
            var receipt = await manager.SendAsync(agent, from, "look at the diff");
            if (receipt.Result == SendResult.Delivered)
            {
                sent++;
            }
            else
            {
                // The inbox is full: let the agent read.
                await Task.Yield();
            }
        }

        await manager.WaitAsync(agent);
        return count / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
