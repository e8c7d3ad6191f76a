using System.CommandLine;
using Coppice.Cli.CommandLine;

namespace Coppice.Cli.Commands;

/// <summary>One command: how it is called, and what it does.</summary>
internal interface ICliCommand
{
    /// <summary>Gets what its help shows after its options.</summary>
    string Examples { get; }

    /// <summary>Makes its definition; called once, before it runs.</summary>
    Command Define(SharedOptions shared);

    /// <summary>Does what it is for.</summary>
    /// <returns>The exit code.</returns>
    Task<int> RunAsync(ParseResult parsed, CommandContext context, CancellationToken cancellationToken);
}
