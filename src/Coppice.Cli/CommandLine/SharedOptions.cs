using System.CommandLine;
using Coppice.Cli.Stores;

namespace Coppice.Cli.CommandLine;

/// <summary>Options that several commands have.</summary>
internal sealed class SharedOptions
{
    public Option<string> Store { get; } = new("--store")
    {
        Description = "Where the store is: the path of a file, or postgres:<connection string>.",
        HelpName = "store",
        DefaultValueFactory = _ => StoreLocation.DefaultPath,
        Recursive = true,
    };

    public Option<string> Schema { get; } = new("--schema")
    {
        Description = "The PostgreSQL schema of the store.",
        HelpName = "name",
        DefaultValueFactory = _ => "coppice",
        Recursive = true,
    };

    public Option<bool> Verbose { get; } = new("--verbose") { Description = "Show where an error comes from, too.", Recursive = true };

    public static Option<bool> Json(string what) => new("--json") { Description = what };

    /// <summary>The store that a command is about.</summary>
    /// <exception cref="CliException">There cannot be one.</exception>
    public StoreAddress Address(ParseResult parsed) => Address(parsed, Store);

    /// <summary>A store that an option names.</summary>
    /// <exception cref="CliException">There cannot be one.</exception>
    public StoreAddress Address(ParseResult parsed, Option<string> option) =>
        StoreAddress.Parse(option.Name, parsed.GetValue(option) ?? StoreLocation.DefaultPath, parsed.GetValue(Schema) ?? "");

    /// <summary>The file of a command that works on nothing else.</summary>
    /// <exception cref="CliException">It is no file.</exception>
    public StoreLocation Location(ParseResult parsed) => Address(parsed) is StoreAddress.FileAddress file
        ? file.Location
        : throw new CliException(ExitCodes.Usage, $"--store: this command keeps its tasks in a file; name one.");
}
