using System.Globalization;
using System.Text;

namespace Coppice.CrashChild;

/// <summary>
/// What the bodies of killed processes did, a line at a time, each in one write and what was paid on the disk before the body goes on: the world
/// outside, which no store takes back.
/// </summary>
internal sealed class PaidLog(string path) : IDisposable
{
    private readonly FileStream _file = new(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
    private readonly Lock _lock = new();

    /// <summary>Pays for a piece of work.</summary>
    /// <param name="context">The attempt that pays.</param>
    /// <param name="step">What for.</param>
    /// <param name="key">Which of several.</param>
    /// <returns>A receipt that no other payment gives.</returns>
    internal string Pay(DurableTaskContext context, string step, string? key = null)
    {
        var what = $"{context.TaskId} {step} {key ?? "-"} {context.Attempt}";
        var receipt = $"{step}/{key ?? "-"}@{context.Attempt}:{Environment.ProcessId}";
        Write($"B {what}");
        Write($"E {what} {receipt}", isSynced: true);
        return receipt;
    }

    /// <summary>Writes a line. It outlives its process, and with <paramref name="isSynced"/> also the machine.</summary>
    internal void Write(FormattableString line, bool isSynced = false)
    {
        var bytes = Encoding.ASCII.GetBytes(line.ToString(CultureInfo.InvariantCulture) + "\n");
        lock (_lock)
        {
            _file.Write(bytes);
            if (isSynced)
            {
                _file.Flush(flushToDisk: true);
            }
        }
    }

    public void Dispose() => _file.Dispose();
}
