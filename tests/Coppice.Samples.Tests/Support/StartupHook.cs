using System.Diagnostics;
using System.Text;
using Coppice.Samples.Tests.Support;

/// <summary>
/// Runs in a sample's process before the sample does, and ends it with SIGKILL at the line that was named, before anything goes on: a kill from
/// another process comes some time after the line. The runtime looks for it by this name, outside of any namespace.
/// </summary>
internal static class StartupHook
{
    internal static void Initialize()
    {
        if (Environment.GetEnvironmentVariable(SampleProcess.KillAtVariable) is { } text)
        {
            Console.SetOut(new DeadlyWriter(Console.Out, text));
        }
    }

    private sealed class DeadlyWriter(TextWriter screen, string text) : TextWriter
    {
        private readonly Lock _lock = new();
        private readonly StringBuilder _line = new();

        public override Encoding Encoding => screen.Encoding;

        public override void Write(char value)
        {
            lock (_lock)
            {
                screen.Write(value);
                if (value != '\n')
                {
                    _line.Append(value);
                }
                else if (_line.ToString().Contains(text, StringComparison.Ordinal))
                {
                    screen.Flush();
                    Process.GetCurrentProcess().Kill();
                }
                else
                {
                    _line.Clear();
                }
            }
        }
    }
}
