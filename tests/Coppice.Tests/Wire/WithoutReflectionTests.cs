using System.Diagnostics;

namespace Coppice.Tests.Wire;

public sealed class WithoutReflectionTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_program_without_reflection_and_without_access_to_internals_reads_and_writes_every_value()
    {
        string[] lines = [WireExamples.FullTaskJson, .. WireExamples.Events.Values.Select(e => e.Json)];

        using var program = Process.Start(new ProcessStartInfo("dotnet", [PathOf("Coppice.WithoutReflection")])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        try
        {
            var output = program.StandardOutput.ReadToEndAsync(Stop);
            var error = program.StandardError.ReadToEndAsync(Stop);
            await program.StandardInput.WriteAsync(string.Join('\n', lines).AsMemory(), Stop);
            program.StandardInput.Close();
            await program.WaitForExitAsync(Stop).WaitAsync(TimeSpan.FromMinutes(1), Stop);

            Assert.Equal("", await error);
            Assert.Equal(lines, (await output).Split('\n', StringSplitOptions.RemoveEmptyEntries));
            Assert.Equal(0, program.ExitCode);
        }
        finally
        {
            program.Kill(entireProcessTree: true);
        }
    }

    /// <summary>The program's own folder beside this one, in the same configuration.</summary>
    private static string PathOf(string program)
    {
        var configuration = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        return Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", program, configuration, program + ".dll"));
    }
}
