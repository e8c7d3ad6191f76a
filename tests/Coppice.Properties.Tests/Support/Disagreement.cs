namespace Coppice.Properties.Tests.Support;

/// <summary>The real thing and the model disagree.</summary>
internal sealed class Disagreement(string message) : Exception(message);
