using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Coppice.ClusterHost;

/// <summary>
/// What happened to a host, a line at a time, each in one write: what is written outlives the process. Each line begins with the time in microseconds by
/// the machine's own steady clock, which all processes share, whatever their clocks on the wall say.
/// </summary>
internal sealed class HostLog(string path) : IDisposable
{
    private readonly FileStream _file = new(path, FileMode.CreateNew, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
    private readonly Lock _lock = new();

    internal void Write(FormattableString line)
    {
        var text = line.ToString(CultureInfo.InvariantCulture);
        lock (_lock)
        {
            var now = (long)Stopwatch.GetElapsedTime(0).TotalMicroseconds;
            _file.Write(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{now} {text.ReplaceLineEndings(" ")}\n")));
        }
    }

    public void Dispose() => _file.Dispose();
}
