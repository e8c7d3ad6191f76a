using System.Text.Json;

namespace Coppice.Agents;

/// <summary>What a model is told of a sub-agent that it has set to work.</summary>
internal static class AgentReceipt
{
    internal static JsonElement Running(string taskId, string? continues = null) => JsonAnswer.Write((taskId, continues), static (writer, receipt) =>
    {
        writer.WriteString("task_id", receipt.taskId);
        writer.WriteString("status", "running");
        if (receipt.continues is not null)
        {
            writer.WriteString("continues", receipt.continues);
        }
    });
}
