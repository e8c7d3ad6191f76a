namespace Coppice;

/// <summary>The names by which Coppice is observed.</summary>
public static class CoppiceTelemetry
{
    /// <summary>The name of the meter and of the activity source, for <c>AddMeter</c> and <c>AddSource</c>.</summary>
    public const string Name = "Coppice";
}
