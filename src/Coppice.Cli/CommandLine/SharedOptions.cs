using System.CommandLine;
using Coppice.Cli.Stores;

namespace Coppice.Cli.CommandLine;

/// <summary>Options that several commands have.</summary>
internal sealed class SharedOptions
{
    public Option<string> Store { get; } = new("--store")
    {
        Description = "The file that the store is kept in.",
        HelpName = "path",
        DefaultValueFactory = _ => StoreLocation.DefaultPath,
        Recursive = true,
    };

    public Option<bool> Verbose { get; } = new("--verbose") { Description = "Show where an error comes from, too.", Recursive = true };

    public static Option<bool> Json(string what) => new("--json") { Description = what };

    public StoreLocation Location(ParseResult parsed) => new(parsed.GetValue(Store) ?? StoreLocation.DefaultPath);
}
