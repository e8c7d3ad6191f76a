namespace Coppice.Properties.Tests.Model;

/// <summary>A host as the model knows one: with its limits, never given up for silence, and waiting for nobody when it stops.</summary>
internal static class ModelledHost
{
    internal static BackgroundTaskOptions OptionsOn(TimeProvider clock) => new()
    {
        TimeProvider = clock,
        ShutdownGracePeriod = TimeSpan.Zero,
        HostTimeout = TimeSpan.FromDays(1),
        MaxDepth = ReferenceModel.MaxDepth,
        MaxUnreadMessages = ReferenceModel.MaxUnreadMessages,
    };
}
