using System.Diagnostics;
using System.Globalization;

namespace Coppice.Workloads;

/// <summary>A host in a process of its own, which is told and asked by lines: <see cref="HostRoles"/>.</summary>
internal sealed class HostChild : IDisposable
{
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    private readonly Process _process;
    private readonly string _role;

    private HostChild(Process process, string role) => (_process, _role) = (process, role);

    internal static HostChild Start(string role, params IEnumerable<string> parameters)
    {
        var start = Child.Program(["host", role, .. parameters]);
        start.RedirectStandardInput = true;
        return new HostChild(Process.Start(start)!, role);
    }

    internal async Task TellAsync(FormattableString line)
    {
        await _process.StandardInput.WriteLineAsync(line.ToString(CultureInfo.InvariantCulture));
        await _process.StandardInput.FlushAsync();
    }

    /// <summary>Gets what its next line has after the word that it must begin with.</summary>
    /// <exception cref="InvalidOperationException">It says something else, or nothing in that time, which is minutes unless it is given.</exception>
    internal async Task<string[]> HearAsync(string word, TimeSpan? within = null)
    {
        using var late = new CancellationTokenSource(within ?? Longest, TimeProvider.System);
        try
        {
            var line = (await _process.StandardOutput.ReadLineAsync(late.Token))?.Split(' ');
            var said = line is null ? "nothing more" : string.Join(' ', line);
            return line?[0] == word
                ? line[1..]
                : throw new InvalidOperationException($"The host that is to {_role} said '{said}' and not '{word}'.");
        }
        catch (OperationCanceledException)
        {
            throw new InvalidOperationException($"The host that is to {_role} said nothing of '{word}' in {within ?? Longest}.");
        }
    }

    /// <summary>Gets the number that its next line has after the word.</summary>
    internal async Task<double> HearNumberAsync(string word, TimeSpan? within = null) =>
        double.Parse((await HearAsync(word, within))[0], CultureInfo.InvariantCulture);

    /// <summary>Stops it where it is: the system goes on to answer for its connections, it does not.</summary>
    internal async Task PauseAsync()
    {
        using var kill = Process.Start("bash", ["-c", string.Create(CultureInfo.InvariantCulture, $"kill -STOP {_process.Id}")]);
        await kill.WaitForExitAsync();
    }

    /// <summary>SIGKILL.</summary>
    internal void Kill() => _process.Kill();

    /// <summary>Lets it end by itself.</summary>
    internal async Task EndAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.Dispose();
    }
}
