using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Text;

namespace Coppice.Cli.Survey;

/// <summary>
/// Tells pipes, sockets and devices from empty files. The survey opens no file of size zero, so none of them can block it; this only
/// finds the word for what was left alone.
/// </summary>
internal static class SpecialFiles
{
    private const int CurrentFolder = -100;
    private const int NoFollow = 0x100;
    private const uint TypeWanted = 1;
    private const int BufferSize = 256;
    private const int ModeOffset = 28;

    /// <summary>What a file of size zero is, or <see langword="null"/> for an ordinary file.</summary>
    public static string? KindOf(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        try
        {
            return (ReadMode(path) & 0xF000) switch
            {
                0x1000 => "named pipe",
                0x2000 => "character device",
                0x6000 => "block device",
                0xC000 => "socket",
                _ => null,
            };
        }
        catch (Exception e) when (e is EntryPointNotFoundException or DllNotFoundException)
        {
            // An old C library without statx: nothing is lost but the word.
            return null;
        }
    }

    [SupportedOSPlatform("linux")]
    private static int ReadMode(string path)
    {
        var buffer = new byte[BufferSize];
        return StatX(CurrentFolder, [.. Encoding.UTF8.GetBytes(path), 0], NoFollow, TypeWanted, buffer) == 0
            ? BinaryPrimitives.ReadUInt16LittleEndian(buffer.AsSpan(ModeOffset))
            : 0;
    }

    // Unlike that of stat, this structure is the same on every processor.
    [DllImport("libc", EntryPoint = "statx")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int StatX(int folder, byte[] path, int flags, uint mask, byte[] buffer);
}
