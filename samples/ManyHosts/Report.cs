using System.Text.Json;

namespace Coppice.Samples.ManyHosts;

/// <summary>Who grew what, and whether all of it is there.</summary>
internal static class Report
{
    /// <summary>Writes the tree and the check.</summary>
    /// <returns>Whether everything has grown, each ring once.</returns>
    internal static async Task<bool> WriteAsync(BackgroundTaskManager manager, string rootId, Plan plan, TextWriter output)
    {
        var tasks = new List<TaskSnapshot>();
        await foreach (var task in manager.QueryAsync(new TaskQuery()))
        {
            tasks.Add(task);
        }

        var root = tasks.Single(task => task.TaskId == rootId);
        var (twigs, again) = (0, 0);
        await output.WriteLineAsync($"{root.TaskId} wood: {root.State.ToWireName()}");
        foreach (var stem in ChildrenOf(root.TaskId))
        {
            await output.WriteLineAsync($"  {stem.TaskId} stem: {stem.State.ToWireName()}");
            foreach (var task in ChildrenOf(stem.TaskId))
            {
                if (task.State != TaskState.Completed)
                {
                    await output.WriteLineAsync($"    {task.TaskId} twig: {task.State.ToWireName()} {task.Error}");
                    continue;
                }

                var twig = task.Result!.Value.Deserialize(WoodJson.Default.Twig)!;
                twigs += twig.Rings.Count == Wood.RingsOfTwig ? 1 : 0;
                again += task.Work!.Attempt > 1 ? 1 : 0;
                await output.WriteLineAsync($"    {task.TaskId} twig: {string.Join(", then ", Shares(twig))}");
            }
        }

        var isWhole = root.State == TaskState.Completed && twigs == plan.Stems * plan.Twigs;
        await output.WriteLineAsync(
            $"{(isWhole ? "The tree is whole" : "THE TREE IS NOT WHOLE")}: {twigs} of {plan.Stems * plan.Twigs} twigs have grown, "
            + $"{again} of them in more than one attempt.");
        return isWhole;

        IEnumerable<TaskSnapshot> ChildrenOf(string id) => tasks.Where(task => task.Lineage.TaskId == id);
    }

    private static IEnumerable<string> Shares(Twig twig) =>
        from ring in twig.Rings
        group ring by ring into share
        let count = share.Count()
        select $"{count} {(count == 1 ? "ring" : "rings")} on {share.Key.Host} (attempt {share.Key.Attempt})";
}
