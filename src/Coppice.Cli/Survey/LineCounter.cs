using System.Buffers;

namespace Coppice.Cli.Survey;

/// <summary>Counts the lines of a file with one small buffer, however long the file or its lines are.</summary>
internal static class LineCounter
{
    private const int BufferSize = 128 * 1024;

    /// <summary>Reads at most the first <paramref name="maxBytes"/> of a file. A NUL byte makes it binary, and ends the reading.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    /// <exception cref="OperationCanceledException">The survey was cancelled.</exception>
    public static FileLines Count(string path, long maxBytes, CancellationToken cancellationToken)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.SequentialScan);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            long offset = 0, lines = 0;
            byte last = (byte)'\n';
            while (offset < maxBytes)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var read = RandomAccess.Read(file, buffer.AsSpan(0, (int)Math.Min(BufferSize, maxBytes - offset)), offset);
                if (read == 0)
                {
                    break;
                }

                var part = buffer.AsSpan(0, read);
                if (part.Contains((byte)0))
                {
                    return FileLines.Binary;
                }

                lines += part.Count((byte)'\n');
                last = part[^1];
                offset += read;
            }

            // A last line without a line end is a line too.
            return new FileLines(IsText: true, last == (byte)'\n' ? lines : lines + 1);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
