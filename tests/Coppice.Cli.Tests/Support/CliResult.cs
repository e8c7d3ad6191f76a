using System.Text.Json;

namespace Coppice.Cli.Tests.Support;

/// <summary>How the command ended.</summary>
internal sealed record CliResult(int ExitCode, string Out, string Error)
{
    public JsonElement Json()
    {
        using var document = JsonDocument.Parse(Out);
        return document.RootElement.Clone();
    }

    /// <summary>Nothing that a terminal would act on is in either stream.</summary>
    public void AssertHarmless()
    {
        foreach (var rune in (Out + Error).EnumerateRunes())
        {
            Assert.True(rune.Value == '\n' || Coppice.Cli.Rendering.SafeText.IsSafe(rune), $"U+{rune.Value:X4} reached the terminal");
        }
    }
}
