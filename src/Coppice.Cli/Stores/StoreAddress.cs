using Coppice.Cli.CommandLine;
using Coppice.Cli.Rendering;
using Npgsql;

namespace Coppice.Cli.Stores;

/// <summary>Where a store is, as it is named on the command line: a file, or a PostgreSQL database.</summary>
internal abstract class StoreAddress
{
    /// <summary>What an address looks like, for messages.</summary>
    public const string Form = "a path, sqlite:<path>, postgres:<connection string of Npgsql> or postgres://user@server/database";

    private const string SqlitePrefix = "sqlite:";

    private static readonly string[] PostgresPrefixes = ["postgres:", "postgresql:"];

    /// <summary>Gets the place, fit to be shown: no password is in it.</summary>
    public abstract string Shown { get; }

    /// <summary>Reads an address.</summary>
    /// <param name="option">The option that it was given for.</param>
    /// <param name="text">The address as it was given.</param>
    /// <param name="schema">The schema, where it is a PostgreSQL database.</param>
    /// <exception cref="CliException">It is no address.</exception>
    public static StoreAddress Parse(string option, string text, string schema)
    {
        if (PostgresPrefixes.FirstOrDefault(prefix => text.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)) is not { } found)
        {
            var path = text.StartsWith(SqlitePrefix, StringComparison.OrdinalIgnoreCase) ? text[SqlitePrefix.Length..] : text;
            return new FileAddress(new StoreLocation(path, option));
        }

        return new ServerAddress(Settings(option, text, text[found.Length..]), new PostgreSqlTaskStoreOptions { Schema = schema });
    }

    // What the driver says of a connection string may quote it, and that may hold a password.
    private static NpgsqlConnectionStringBuilder Settings(string option, string text, string rest)
    {
        try
        {
            return rest.StartsWith("//", StringComparison.Ordinal) ? OfUri(text) : new NpgsqlConnectionStringBuilder(rest);
        }
        catch (Exception e) when (e is ArgumentException or FormatException or OverflowException or InvalidCastException)
        {
            throw new CliException(ExitCodes.Usage, $"{option} cannot be read; it is {Form}.");
        }
    }

    private static NpgsqlConnectionStringBuilder OfUri(string text)
    {
        var uri = new Uri(text, UriKind.Absolute);
        var (user, password) = uri.UserInfo.Split(':', 2) switch
        {
            [var name, var secret] => (name, secret),
            [var name] => (name, ""),
            _ => ("", ""),
        };
        var settings = new NpgsqlConnectionStringBuilder { Host = Uri.UnescapeDataString(uri.DnsSafeHost) };
        if (uri.Port > 0)
        {
            settings.Port = uri.Port;
        }

        settings.Username = user.Length > 0 ? Uri.UnescapeDataString(user) : null;
        settings.Password = password.Length > 0 ? Uri.UnescapeDataString(password) : null;
        settings.Database = uri.AbsolutePath.Length > 1 ? Uri.UnescapeDataString(uri.AbsolutePath[1..]) : null;
        foreach (var pair in uri.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var (key, value) = pair.Split('=', 2) is [var left, var right] ? (left, right) : throw new FormatException();

            // The names that libpq gives to what people put here; the others are Npgsql's own.
            var name =
                key switch { "sslmode" => "SSL Mode", "application_name" => "Application Name", "connect_timeout" => "Timeout", _ => Uri.UnescapeDataString(key) };
            settings[name] = Uri.UnescapeDataString(value).Replace("-", name == "SSL Mode" ? "" : "-", StringComparison.Ordinal);
        }

        return settings;
    }

    /// <summary>A file.</summary>
    internal sealed class FileAddress(StoreLocation location) : StoreAddress
    {
        public StoreLocation Location => location;

        public override string Shown => location.Shown;
    }

    /// <summary>A PostgreSQL database.</summary>
    internal sealed class ServerAddress(NpgsqlConnectionStringBuilder settings, PostgreSqlTaskStoreOptions options) : StoreAddress
    {
        public string ConnectionString { get; } = settings.ConnectionString;

        public PostgreSqlTaskStoreOptions Options => options;

        public override string Shown { get; } =
            SafeText.Line($"{settings.Host}/{settings.Database ?? settings.Username}, schema {options.Schema}", 200);
    }
}
