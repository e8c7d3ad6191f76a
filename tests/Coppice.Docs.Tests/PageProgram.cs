using System.Diagnostics;

namespace Coppice.Docs.Tests;

/// <summary>Runs a whole program of a page in a process and a folder of its own.</summary>
internal static class PageProgram
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    internal static async Task<string> RunAsync(CodeBlock block, CancellationToken cancellationToken)
    {
        // It lies beside this assembly, so that it finds what this assembly was built with.
        var name = "page-" + Guid.NewGuid().ToString("N");
        var assembly = Path.Combine(AppContext.BaseDirectory, name + ".dll");
        var folder = Directory.CreateTempSubdirectory("coppice-page-");
        try
        {
            await using (var file = File.Create(assembly))
            {
                Assert.Empty(Compiler.Compile(block, file));
            }

            return await StartAsync(assembly, folder.FullName, cancellationToken);
        }
        finally
        {
            File.Delete(assembly);
            folder.Delete(recursive: true);
        }
    }

    private static async Task<string> StartAsync(string assembly, string folder, CancellationToken cancellationToken)
    {
        var own = Path.Combine(AppContext.BaseDirectory, typeof(PageProgram).Assembly.GetName().Name!);
        string[] arguments = ["exec", "--depsfile", own + ".deps.json", "--runtimeconfig", own + ".runtimeconfig.json", assembly];
        using var program = Process.Start(new ProcessStartInfo("dotnet", arguments)
        {
            WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true,
        })!;
        try
        {
            program.StandardInput.Close();
            var output = program.StandardOutput.ReadToEndAsync(cancellationToken);
            var error = program.StandardError.ReadToEndAsync(cancellationToken);
            await program.WaitForExitAsync(cancellationToken).WaitAsync(Patience, cancellationToken);
            Assert.Equal("", await error);
            Assert.Equal(0, program.ExitCode);
            return (await output).ReplaceLineEndings("\n");
        }
        finally
        {
            program.Kill(entireProcessTree: true);
        }
    }
}
