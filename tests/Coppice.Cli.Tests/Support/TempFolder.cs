using System.Diagnostics;
using System.Text;

namespace Coppice.Cli.Tests.Support;

/// <summary>A folder of a test's own, gone with it.</summary>
public sealed class TempFolder : IDisposable
{
    public TempFolder()
    {
        Path = Directory.CreateTempSubdirectory("coppice-cli-").FullName;
    }

    public string Path { get; }

    public string At(string relative) => System.IO.Path.Combine(Path, relative);

    public string Folder(string relative) => Directory.CreateDirectory(At(relative)).FullName;

    public string File(string relative, string content = "")
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(At(relative))!);
        System.IO.File.WriteAllText(At(relative), content, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
        return At(relative);
    }

    public string File(string relative, byte[] content)
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(At(relative))!);
        System.IO.File.WriteAllBytes(At(relative), content);
        return At(relative);
    }

    public void Link(string relative, string target) => System.IO.File.CreateSymbolicLink(At(relative), target);

    /// <summary>Runs a shell line in the folder, for what .NET has no call for.</summary>
    public void Shell(string line)
    {
        using var shell = Process.Start(new ProcessStartInfo("bash", ["-c", line]) { WorkingDirectory = Path })!;
        shell.WaitForExit();
        Assert.Equal(0, shell.ExitCode);
    }

    public void Dispose()
    {
        using var remove = Process.Start(new ProcessStartInfo("bash", ["-c", "chmod -R u+rwx . 2>/dev/null; exec rm -rf -- \"$PWD\""]) { WorkingDirectory = Path })!;
        remove.WaitForExit();
    }
}
