using System.Text.Json;

namespace Coppice.Agents;

/// <summary>Sends a message to a live agent task of the thread, to the parent's thread, or to another agent's.</summary>
internal sealed class SendMessageTool(ToolDoor door) : TaskTool(BackgroundTaskTools.SendMessage, About, Schema, door)
{
    private const string RecipientUnavailable = "recipient_unavailable";

    private const string RecipientNotFound = "recipient_not_found";
    private const string TransportFailed = "transport_failed: ";

    private const string About =
        "Sends a message to another agent: more instructions, an answer to its question, a finding. "
        + "'child' is a running agent task of yours, by name or task_id; 'parent' is whoever started you; 'agent' is an agent on another thread. "
        + "The message is stored and read when the agent gets to it; this does not wait for a reply, which comes to you as a message by itself. "
        + "Returns the message_id, or why it could not be delivered.";

    private static readonly JsonElement Schema = JsonElement.Parse(
        """
        {"type":"object","properties":{"to":{"description":"Who gets the message.","oneOf":[
          {"type":"object","properties":{"relation":{"const":"child"},
            "name":{"type":"string","minLength":1,"maxLength":256,"description":"The agent task's name or task_id."}},
           "required":["relation","name"],"additionalProperties":false},
          {"type":"object","properties":{"relation":{"const":"parent"}},"required":["relation"],"additionalProperties":false},
          {"type":"object","properties":{"relation":{"const":"agent"},
            "thread_id":{"type":"string","minLength":1,"maxLength":4096,"description":"The thread that the agent works on."},
            "agent_id":{"type":"string","maxLength":4096,"description":"Which agent of the thread is meant; leave it out for whoever reads there."}},
           "required":["relation","thread_id"],"additionalProperties":false}]},
         "message":{"type":"string","description":"The text."}},
         "required":["to","message"],"additionalProperties":false}
        """);

    protected override async ValueTask<JsonElement> AnswerAsync(ToolArguments arguments, CancellationToken cancellationToken)
    {
        var to = arguments.Object("to");
        var message = arguments.Text("message")!;
        try
        {
            return Receipt(to.GetProperty("relation").GetString() switch
            {
                "child" => await SendToChildAsync(to.GetProperty("name").GetString()!, message, cancellationToken).ConfigureAwait(false),
                "parent" => await SendToParentAsync(message, cancellationToken).ConfigureAwait(false),
                _ => await PostAsync(to.GetProperty("thread_id").GetString()!, message, AgentId(to), cancellationToken).ConfigureAwait(false),
            });
        }
        catch (CoppiceException e)
        {
            return Receipt(new PostedMessage("", TransportFailed + e.Message));
        }
    }

    private async ValueTask<PostedMessage> SendToChildAsync(string name, string message, CancellationToken cancellationToken)
    {
        var child = await Door.FindByIdOrNameAsync(name, cancellationToken).ConfigureAwait(false);
        if (child is null)
        {
            return new("", RecipientNotFound);
        }

        var receipt = await Door.Manager.SendAsync(child.TaskId, Door.Sender, message, cancellationToken).ConfigureAwait(false);
        return receipt.Result switch
        {
            SendResult.Delivered => new(Guid.CreateVersion7(Door.Now).ToString(), null),
            SendResult.TaskNotFound or SendResult.NotOwner => new("", RecipientNotFound),
            _ => new("", RecipientUnavailable),
        };
    }

    private ValueTask<PostedMessage> SendToParentAsync(string message, CancellationToken cancellationToken) =>
        Door.CurrentTask.AsAgent() is { } agent && agent.ThreadId == Door.ThreadId
            ? PostAsync(agent.OwnerThreadId, message, null, cancellationToken)
            : ValueTask.FromResult(new PostedMessage("", RecipientUnavailable));

    private async ValueTask<PostedMessage> PostAsync(string toThreadId, string message, string? toAgentId, CancellationToken cancellationToken)
    {
        var receipt = await Door.Manager.PostAsync(
            toThreadId, Door.Sender, message, new PostOptions { ToAgentId = toAgentId }, cancellationToken).ConfigureAwait(false);
        return receipt.Result == PostResult.Accepted ? new(receipt.MessageId, null) : new("", RecipientUnavailable);
    }

    private static string? AgentId(JsonElement to) =>
        to.TryGetProperty("agent_id", out var agentId) && agentId.GetString() is { Length: > 0 } id ? id : null;

    private static JsonElement Receipt(PostedMessage posted) => JsonAnswer.Write(posted, static (writer, posted) =>
    {
        writer.WriteString("message_id", posted.MessageId);
        writer.WriteString("status", posted.Error is null ? "accepted" : "failed");
        if (posted.Error is not null)
        {
            writer.WriteString("error", posted.Error);
        }
    });

    /// <summary>What became of a message: its id when it is stored, or the wire's word for why it is not.</summary>
    private readonly record struct PostedMessage(string MessageId, string? Error);
}
