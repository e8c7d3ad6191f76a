using Microsoft.Extensions.AI;
using Wire = OpenAI.Chat;

namespace Coppice.Samples.ResearchTeam;

/// <summary>The options of a call as the protocol has them.</summary>
internal static class OpenAIOptions
{
    internal static Wire.ChatCompletionOptions From(ChatOptions? options)
    {
        var written = new Wire.ChatCompletionOptions();
        if (options is null)
        {
            return written;
        }

        written.Temperature = options.Temperature;
        written.TopP = options.TopP;
        written.MaxOutputTokenCount = options.MaxOutputTokens;
        written.FrequencyPenalty = options.FrequencyPenalty;
        written.PresencePenalty = options.PresencePenalty;
        written.ResponseFormat = Format(options.ResponseFormat);
        foreach (var sequence in options.StopSequences ?? [])
        {
            written.StopSequences.Add(sequence);
        }

        AddTools(written, options);
        return written;
    }

    private static void AddTools(Wire.ChatCompletionOptions written, ChatOptions options)
    {
        foreach (var tool in options.Tools ?? [])
        {
            written.Tools.Add(tool is AIFunctionDeclaration function
                ? Wire.ChatTool.CreateFunctionTool(function.Name, function.Description, BinaryData.FromString(function.JsonSchema.GetRawText()))
                : throw new NotSupportedException($"The tool '{tool.Name}' is no function; this adapter offers functions."));
        }

        // The protocol refuses both where no tool is offered.
        if (written.Tools.Count > 0)
        {
            written.ToolChoice = Choice(options.ToolMode);
            written.AllowParallelToolCalls = options.AllowMultipleToolCalls;
        }
    }

    private static Wire.ChatToolChoice? Choice(ChatToolMode? mode) => mode switch
    {
        NoneChatToolMode => Wire.ChatToolChoice.CreateNoneChoice(),
        AutoChatToolMode => Wire.ChatToolChoice.CreateAutoChoice(),
        RequiredChatToolMode { RequiredFunctionName: { } name } => Wire.ChatToolChoice.CreateFunctionChoice(name),
        RequiredChatToolMode => Wire.ChatToolChoice.CreateRequiredChoice(),
        _ => null,
    };

    private static Wire.ChatResponseFormat? Format(ChatResponseFormat? format) => format switch
    {
        ChatResponseFormatJson { Schema: { } schema } json => Wire.ChatResponseFormat.CreateJsonSchemaFormat(
            json.SchemaName ?? "answer", BinaryData.FromString(schema.GetRawText()), json.SchemaDescription),
        ChatResponseFormatJson => Wire.ChatResponseFormat.CreateJsonObjectFormat(),
        ChatResponseFormatText => Wire.ChatResponseFormat.CreateTextFormat(),
        _ => null,
    };
}
