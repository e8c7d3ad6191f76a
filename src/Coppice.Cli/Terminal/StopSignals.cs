using System.Runtime.InteropServices;
using Coppice.Cli.CommandLine;

namespace Coppice.Cli.Terminal;

/// <summary>SIGINT (Ctrl-C) and SIGTERM: the first asks for an orderly end, the second ends the process at once.</summary>
internal sealed class StopSignals : IDisposable
{
    // Some programs send a signal both to this process and to its group: nobody presses Ctrl-C twice as fast as that.
    private static readonly TimeSpan EchoTime = TimeSpan.FromMilliseconds(250);

    private readonly CliConsole _console;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private (PosixSignal Signal, long At)? _last;
    private readonly PosixSignalRegistration[] _registrations;
    private readonly TaskCompletionSource<int> _first = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public StopSignals(CliConsole console, TimeProvider time)
    {
        _time = time;
        _console = console;
        _registrations =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal),
        ];
    }

    /// <summary>Gets the exit code of the first signal, once there was one.</summary>
    public Task<int> First => _first.Task;

    public void Dispose()
    {
        foreach (var registration in _registrations)
        {
            registration.Dispose();
        }
    }

    private void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true;
        var exitCode = context.Signal == PosixSignal.SIGTERM ? ExitCodes.Terminated : ExitCodes.Interrupted;
        if (!IsEcho(context.Signal) && !_first.TrySetResult(exitCode))
        {
            LeaveAtOnce(exitCode);
        }
    }

    private bool IsEcho(PosixSignal signal)
    {
        lock (_gate)
        {
            var isEcho = _last is { } last && last.Signal == signal && _time.GetElapsedTime(last.At) < EchoTime;
            _last = (signal, _time.GetTimestamp());
            return isEcho;
        }
    }

    private void LeaveAtOnce(int exitCode)
    {
        if (_console.Traits.ErrorIsTerminal)
        {
            // The live view has hidden the cursor.
            _console.Error.Write("\u001b[?25h");
        }

        _console.Say("Stopped at once. What was running is shown as orphaned next time.");
        Environment.Exit(exitCode);
    }
}
