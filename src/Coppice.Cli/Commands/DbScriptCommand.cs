using System.CommandLine;
using System.Text.Json;
using Coppice.Cli.CommandLine;
using Coppice.Cli.Rendering;

namespace Coppice.Cli.Commands;

/// <summary><c>coppice db script</c>: the SQL of the PostgreSQL store, for people who run it themselves.</summary>
internal sealed class DbScriptCommand : ICliCommand
{
    private readonly Option<int> _from = new("--from")
    {
        Description = $"The version that is there, 0 to {PostgreSqlSchema.Version}; 0 when there is none.", HelpName = "version", DefaultValueFactory = _ => 0,
    };

    private readonly Option<string?> _grant = new("--grant") { Description = "Write instead what grants this role the rights that hosts need, and no others.", HelpName = "role" };
    private readonly Option<bool> _json = SharedOptions.Json("Write a JSON object with the SQL in it.");
    private SharedOptions _shared = null!;

    public string Examples => """
        Connects to nothing: it writes SQL to standard output, for whoever may change the database. A script is one
        transaction, and changes nothing where the store is not of the version that it is written for. A role of hosts
        that was granted what --grant writes can change no table; grant it anew after an upgrade.

        Examples:
          coppice db script | psql -v ON_ERROR_STOP=1 mydb
          coppice db script --schema jobs --from 1
          coppice db script --grant app | psql -v ON_ERROR_STOP=1 mydb
        """;

    public Command Define(SharedOptions shared)
    {
        _shared = shared;
        CommandChecks.Range(_from, 0, PostgreSqlSchema.Version);
        return new Command("script", "Write the SQL that makes the tables of a PostgreSQL store, or upgrades them.") { _from, _grant, _json };
    }

    public Task<int> RunAsync(ParseResult parsed, CommandContext context, CancellationToken cancellationToken)
    {
        var schema = parsed.GetValue(_shared.Schema) ?? "";
        var role = parsed.GetValue(_grant);
        var from = parsed.GetValue(_from);
        if (role is not null && parsed.GetResult(_from) is { Implicit: false })
        {
            throw new CliException(ExitCodes.Usage, "--grant and --from do not go together: rights are granted on the tables that are there.");
        }

        var sql = role is null ? Script(schema, from) : Grants(role, schema);
        context.Console.Out.Write(parsed.GetValue(_json) ? SafeJson.Write(writer => Write(writer, schema, from, role, sql), indented: false) + "\n" : sql);
        return Task.FromResult(ExitCodes.Success);
    }

    private static string Script(string schema, int from)
    {
        try
        {
            return PostgreSqlSchema.CreateScript(schema, from).ReplaceLineEndings("\n");
        }
        catch (ArgumentException e)
        {
            throw Wrong("--schema", e);
        }
    }

    private static string Grants(string role, string schema)
    {
        // It is written as it is, and what a terminal might act on cannot be escaped in SQL without being something else.
        if (role.EnumerateRunes().Any(static rune => !SafeText.IsSafe(rune)))
        {
            throw new CliException(ExitCodes.Usage, $"--grant: '{SafeText.Line(role, 200)}' has characters that are not fit to be shown.");
        }

        try
        {
            return PostgreSqlSchema.CreateGrants(role, schema).ReplaceLineEndings("\n");
        }
        catch (ArgumentException e)
        {
            throw Wrong(e.ParamName == "schema" ? "--schema" : "--grant", e);
        }
    }

    private static CliException Wrong(string option, ArgumentException error)
    {
        var suffix = $" (Parameter '{error.ParamName}')";
        return new CliException(ExitCodes.Usage, $"{option}: {error.Message.Replace(suffix, "", StringComparison.Ordinal)}", error);
    }

    private static void Write(Utf8JsonWriter writer, string schema, int from, string? role, string sql)
    {
        writer.WriteStartObject();
        writer.WriteString("schema", schema);
        if (role is null)
        {
            writer.WriteNumber("from", from);
            writer.WriteNumber("to", PostgreSqlSchema.Version);
        }
        else
        {
            writer.WriteString("role", role);
        }

        writer.WriteString("sql", sql);
        writer.WriteEndObject();
    }
}
