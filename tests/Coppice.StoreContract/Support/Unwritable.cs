using System.Text.Json.Serialization;

namespace Coppice.StoreContract;

/// <summary>A value that throws what it is told to when it is written as JSON, and when it is read.</summary>
public sealed class Unwritable
{
    /// <summary>Gets what it throws.</summary>
    [JsonIgnore]
    public Exception Thrown { get; init; } = new FormatException("It is odd.");

    /// <summary>Gets or sets the value, which cannot be.</summary>
    public int Value
    {
        get => throw Thrown;
        set => throw new FormatException("It is odd.");
    }

    /// <summary>What its getter may throw, none of which a JSON serializer is known to throw.</summary>
    public static TheoryData<string> Failures { get; } = new(All.Keys);

    /// <summary>One of the <see cref="Failures"/>.</summary>
    /// <param name="name">Its name.</param>
    public static Unwritable That(string name) => new() { Thrown = All[name]() };

    private static Dictionary<string, Func<Exception>> All => new(StringComparer.Ordinal)
    {
        ["throws"] = static () => new InvalidOperationException("It is odd."),
        ["is cancelled"] = static () => new OperationCanceledException("It is odd."),
        ["has lost its attempt"] = static () => new AttemptLostException("It is odd."),
        ["has nothing to say"] = static () => new SpeechlessException(),
    };

    private sealed class SpeechlessException : Exception
    {
        public override string Message => throw new InvalidOperationException("It has no message.");
    }
}
