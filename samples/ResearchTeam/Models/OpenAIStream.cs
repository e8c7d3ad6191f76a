using System.Text;
using Microsoft.Extensions.AI;
using Wire = OpenAI.Chat;

namespace Coppice.Samples.ResearchTeam;

/// <summary>A streamed answer: text as it comes, calls when they are whole.</summary>
internal sealed class OpenAIStream
{
    private readonly SortedDictionary<int, PartialCall> _calls = [];
    private string? _id;
    private string? _model;

    internal ChatResponseUpdate Read(Wire.StreamingChatCompletionUpdate update)
    {
        _id ??= update.CompletionId;
        _model ??= update.Model;
        foreach (var part in update.ToolCallUpdates)
        {
            Add(part);
        }

        var read = Create([.. OpenAIAnswer.Contents(update.ContentUpdate)]);
        read.FinishReason = update.FinishReason is { } reason ? OpenAIAnswer.Reason(reason) : null;
        if (!string.IsNullOrEmpty(update.RefusalUpdate))
        {
            read.Contents.Add(new ErrorContent(update.RefusalUpdate) { ErrorCode = "refusal" });
        }

        if (OpenAIAnswer.Usage(update.Usage) is { } usage)
        {
            read.Contents.Add(new UsageContent(usage));
        }

        return read;
    }

    /// <summary>What can be said only when all has come.</summary>
    internal ChatResponseUpdate End() =>
        Create([.. _calls.Values.Select(call => OpenAIAnswer.Call(call.Id, call.Name, call.Arguments.ToString()))]);

    private void Add(Wire.StreamingChatToolCallUpdate part)
    {
        if (!_calls.TryGetValue(part.Index, out var call))
        {
            _calls.Add(part.Index, call = new PartialCall());
        }

        // Id and name come with the first part; some servers repeat them.
        call.Id = string.IsNullOrEmpty(part.ToolCallId) ? call.Id : part.ToolCallId;
        call.Name = string.IsNullOrEmpty(part.FunctionName) ? call.Name : part.FunctionName;
        call.Arguments.Append(part.FunctionArgumentsUpdate?.ToString());
    }

    private ChatResponseUpdate Create(IList<AIContent> contents) => new(ChatRole.Assistant, contents)
    {
        ResponseId = _id, MessageId = _id, ModelId = _model,
    };

    private sealed class PartialCall
    {
        internal string Id { get; set; } = "";

        internal string Name { get; set; } = "";

        internal StringBuilder Arguments { get; } = new();
    }
}
