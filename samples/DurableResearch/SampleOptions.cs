using System.Diagnostics.CodeAnalysis;

namespace Coppice.Samples.DurableResearch;

/// <summary>What the command line asks for.</summary>
/// <param name="Question">What is to be found out.</param>
/// <param name="Folder">Where the store and the ledger are.</param>
/// <param name="WantsHelp">Whether only help is wanted.</param>
internal sealed record SampleOptions(string Question, string Folder, bool WantsHelp)
{
    internal const string Help =
        """
        A piece of research that outlasts its process: kill it, run the same command again, and it goes on.

        Usage: DurableResearch [--question TEXT] [--folder PATH]

          --question TEXT  what to find out; "Why do bridges fall down?" when it is left out
          --folder PATH    where the store (tasks.db) and the ledger (ledger.log) are; durable-research when it is left out
          --help           this

        The model is scripted and needs no network.
        """;

    internal static bool TryParse(IReadOnlyList<string> arguments, [NotNullWhen(true)] out SampleOptions? options, out string problem)
    {
        (options, problem) = (new SampleOptions("Why do bridges fall down?", "durable-research", false), "");
        for (var i = 0; i < arguments.Count; i++)
        {
            var value = i + 1 < arguments.Count ? arguments[i + 1].Trim() : "";
            switch (arguments[i])
            {
                case "--help" or "-h":
                    options = options with { WantsHelp = true };
                    return true;
                case "--question" when value.Length is > 0 and <= 200:
                    options = options with { Question = value };
                    i++;
                    break;
                case "--folder" when value.Length > 0:
                    options = options with { Folder = value };
                    i++;
                    break;
                case "--question" or "--folder":
                    problem = $"{arguments[i]} needs a value; a question has at most 200 characters. --help says more.";
                    return false;
                case var unknown:
                    problem = $"There is no option '{unknown}'. --help lists them.";
                    return false;
            }
        }

        return true;
    }
}
