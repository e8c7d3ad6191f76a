using Coppice.Cli.Stores;
using Coppice.Cli.Terminal;

namespace Coppice.Cli.CommandLine;

/// <summary>What every command works with.</summary>
internal sealed record CommandContext(CliConsole Console, TimeProvider Time)
{
    public StoreOpening Opening(StoreAddress address) => new(address, Console, Time);
}
