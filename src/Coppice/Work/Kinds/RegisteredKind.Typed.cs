using System.Text.Json;
using System.Text.Json.Schema;

namespace Coppice;

/// <summary>A kind, its types, and what runs it.</summary>
internal sealed class RegisteredKind<TInput, TResult>(TaskKind<TInput, TResult> kind, Func<TInput, DurableTaskContext, Task<TResult>> run)
    : RegisteredKind(kind)
{
    private static readonly JsonSchemaExporterOptions SchemaOptions = new() { TreatNullObliviousAsNonNullable = true };

    internal override JsonElement InputSchema => JsonElement.Parse(kind.InputType.GetJsonSchemaAsNode(SchemaOptions).ToJsonString());

    internal override string? FaultOf(JsonElement input)
    {
        try
        {
            _ = input.Deserialize(kind.InputType);
            return null;
        }
        catch (Exception e)
        {
            // The types are the application's, and its converters may throw anything.
            return ExceptionText.Of(e);
        }
    }

    internal override TaskBody CreateBody(JsonElement input) => new Body(kind, run, input);

    private sealed class Body(TaskKind<TInput, TResult> kind, Func<TInput, DurableTaskContext, Task<TResult>> run, JsonElement input) : TaskBody
    {
        internal override Task Start(TaskContext context) => run(Read(), (DurableTaskContext)context) ?? throw ReturnedNoTask();

        internal override TaskOutcome? OutcomeOf(Task ended)
        {
            try
            {
                return TaskOutcome.Success(((Task<TResult>)ended).Result, kind.ResultType);
            }
            catch (Exception e)
            {
                return TaskOutcome.Failure(
                    $"The result cannot be stored: {typeof(TResult).Name} cannot be written as JSON. {ExceptionText.Of(e)}");
            }
        }

        private TInput Read()
        {
            try
            {
                return input.Deserialize(kind.InputType)!;
            }
            catch (Exception e)
            {
                throw new UnreadableInputException(
                    $"The input of kind '{kind.Name}' cannot be read as {typeof(TInput).Name}: {ExceptionText.Of(e)}", e);
            }
        }
    }
}
