using System.ClientModel;
using System.Text.Json;

namespace Coppice.Samples.ResearchTeam;

/// <summary>What goes wrong between here and a model, in words for a person.</summary>
internal static class OpenAIErrors
{
    /// <summary>Whether it is a fault of the endpoint, and not of a caller who has cancelled or misused something.</summary>
    internal static bool IsFault(Exception e, CancellationToken cancellationToken) => e switch
    {
        OperationCanceledException => !cancellationToken.IsCancellationRequested,
        AggregateException many => many.InnerExceptions.All(inner => IsFault(inner, cancellationToken)),

        // The library reads answers without looking whether they are of the form it expects.
        ClientResultException or HttpRequestException or IOException or JsonException or FormatException => true,
        KeyNotFoundException or ArgumentException or InvalidOperationException or NullReferenceException => true,
        _ => false,
    };

    internal static ModelException Explain(Exception e) => e switch
    {
        ClientResultException { Status: > 0 } refused => new($"The model's endpoint answered {refused.Status}: {refused.Message}", refused.Status, e),
        ClientResultException or HttpRequestException or IOException => new($"The model's endpoint cannot be reached: {e.Message}", null, e),
        AggregateException { InnerExceptions: [.., var last] } => new($"The model's endpoint cannot be reached: {last.Message}", null, e),
        OperationCanceledException => new("The model's endpoint did not answer in time.", null, e),
        _ => new($"The model's endpoint answered something that is no chat completion: {e.Message}", null, e),
    };
}
