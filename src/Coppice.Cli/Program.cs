using Coppice.Cli.CommandLine;
using Coppice.Cli.Terminal;

return await new CoppiceCommandLine(new CommandContext(CliConsole.OfProcess(), TimeProvider.System)).RunAsync(args);
