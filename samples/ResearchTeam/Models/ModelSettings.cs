namespace Coppice.Samples.ResearchTeam;

/// <summary>The real model that the environment names.</summary>
/// <param name="Model">Its name.</param>
/// <param name="Endpoint">Where it is.</param>
/// <param name="Key">What opens it.</param>
internal sealed record ModelSettings(string Model, Uri Endpoint, string Key)
{
    private static readonly Uri DefaultEndpoint = new("https://api.openai.com/v1");

    /// <summary>Reads them.</summary>
    /// <returns>The settings; <see langword="null"/> when no model is named, whatever else is set for other programs.</returns>
    /// <exception cref="UsageException">They cannot be used.</exception>
    internal static ModelSettings? Read(Func<string, string?> variable)
    {
        if (Value("OPENAI_MODEL") is not { } model)
        {
            return null;
        }

        var baseUrl = Value("OPENAI_BASE_URL");
        var endpoint = DefaultEndpoint;
        if (baseUrl is not null && !(Uri.TryCreate(baseUrl, UriKind.Absolute, out endpoint) && endpoint.Scheme is "http" or "https"))
        {
            throw new UsageException($"OPENAI_BASE_URL is '{baseUrl}'; it has to be a http or https address such as http://localhost:11434/v1.");
        }

        // A server of one's own often asks for none, and the client library for some.
        var key = Value("OPENAI_API_KEY") ?? (baseUrl is not null ? "none" : null);
        return key is not null
            ? new ModelSettings(model, endpoint!, key)
            : throw new UsageException("OPENAI_MODEL is set, but neither OPENAI_API_KEY nor, for an endpoint without a key, OPENAI_BASE_URL.");

        string? Value(string name) => variable(name) is { } text && !string.IsNullOrWhiteSpace(text) ? text.Trim() : null;
    }
}
