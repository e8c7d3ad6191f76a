using System.Globalization;
using System.Text;

namespace Coppice.Samples.DurableResearch;

/// <summary>
/// A file that outlasts every process: what was paid for, and what the program has had back from the store. Each line is on the disk before the
/// work goes on, so that the file can be held against what should have happened.
/// </summary>
internal sealed class Ledger(string path, TextWriter screen) : IDisposable
{
    private const string Paid = "paid";
    private const string Had = "have";

    private readonly Lock _lock = new();
    private readonly FileStream _file = new(path, FileMode.Append, FileAccess.Write, FileShare.Read);

    /// <summary>Something is about to be paid for.</summary>
    internal void Pay(string what) => Write(Paid, what);

    /// <summary>The result of something that was paid for is stored: it never has to be paid for again.</summary>
    internal void Have(string what) => Write(Had, what);

    internal void Note(string what) => Write("note", what);

    /// <summary>Goes through the whole file, and says what was paid for after its result had been stored.</summary>
    internal string Audit()
    {
        lock (_lock)
        {
            var stored = new HashSet<string>(StringComparer.Ordinal);
            var twice = new List<string>();
            var paid = 0;
            var processes = new HashSet<string>(StringComparer.Ordinal);
            foreach (var line in File.ReadLines(path))
            {
                if (line.Split('\t') is not [var process, var kind, var what])
                {
                    continue; // the last line of a process that was killed while it wrote
                }

                processes.Add(process);
                paid += kind == Paid ? 1 : 0;
                if (kind == Paid && stored.Contains(what))
                {
                    twice.Add(what);
                }
                else if (kind == Had)
                {
                    stored.Add(what);
                }
            }

            var verdict = twice.Count == 0 ? "nothing was paid for again once its result was stored" : "PAID TWICE: " + string.Join(", ", twice);
            return string.Create(CultureInfo.InvariantCulture, $"{processes.Count} {(processes.Count == 1 ? "process" : "processes")}, {paid} payments: {verdict}.");
        }
    }

    public void Dispose() => _file.Dispose();

    private void Write(string kind, string what)
    {
        lock (_lock)
        {
            _file.Write(Encoding.UTF8.GetBytes($"{Environment.ProcessId}\t{kind}\t{what}\n"));
            _file.Flush(flushToDisk: true);
            screen.WriteLine($"{kind} {what}");
        }
    }
}
