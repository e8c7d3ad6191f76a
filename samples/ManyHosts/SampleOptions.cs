using System.Diagnostics.CodeAnalysis;

namespace Coppice.Samples.ManyHosts;

/// <summary>What the command line asks for.</summary>
/// <param name="Command">serve, plant or show.</param>
/// <param name="Name">What the host is called.</param>
internal sealed record SampleOptions(string Command, string Name)
{
    internal const string Help =
        """
        Hosts that share one PostgreSQL store, and a tree of tasks that grows on all of them.

        Usage: ManyHosts serve NAME   a host that works until it is told to stop
               ManyHosts plant        plants the tree, waits until it has grown, and says who grew what
               ManyHosts --help       this

        The store is where COPPICE_POSTGRES says (a connection string of Npgsql), in the schema that COPPICE_SCHEMA
        says ("many_hosts" when it says nothing). demo.sh runs all of it, with three hosts of which one is killed.
        """;

    internal static bool TryParse(IReadOnlyList<string> arguments, [NotNullWhen(true)] out SampleOptions? options)
    {
        options = arguments switch
        {
            ["serve", { Length: > 0 and <= 40 } name] => new SampleOptions("serve", name),
            ["plant"] => new SampleOptions("plant", "planter"),
            ["--help" or "-h"] => new SampleOptions("help", ""),
            _ => null,
        };
        return options is not null;
    }
}
