using Coppice.Cli.CommandLine;
using Coppice.Cli.Stores;
using Npgsql;

namespace Coppice.Cli.Tests.Stores;

public sealed class StoreAddressTests
{
    [Theory]
    [InlineData("tasks.db")]
    [InlineData("sqlite:tasks.db")]
    [InlineData("SQLite:tasks.db")]
    public void A_path_is_a_file(string text)
    {
        var file = Assert.IsType<StoreAddress.FileAddress>(StoreAddress.Parse("--store", text, "coppice"));

        Assert.Equal(Path.GetFullPath("tasks.db"), file.Location.Path);
        Assert.Equal("tasks.db", file.Shown);
    }

    [Theory]
    [InlineData("postgres:Host=db;Port=6000;Username=app;Password=p@ss;Database=shop")]
    [InlineData("PostgreSQL:Host=db;Port=6000;Username=app;Password=p@ss;Database=shop")]
    [InlineData("postgres://app:p%40ss@db:6000/shop")]
    [InlineData("postgresql://app@db:6000/shop?password=p%40ss")]
    public void A_connection_string_and_a_URI_are_a_server(string text)
    {
        var server = Assert.IsType<StoreAddress.ServerAddress>(StoreAddress.Parse("--store", text, "jobs"));
        var settings = new NpgsqlConnectionStringBuilder(server.ConnectionString);

        Assert.Equal(("db", 6000, "app", "p@ss", "shop"), (settings.Host, settings.Port, settings.Username, settings.Password, settings.Database));
        Assert.Equal("jobs", server.Options.Schema);
        Assert.Equal("db/shop, schema jobs", server.Shown);
    }

    [Theory]
    [InlineData("postgres://[::1]:5433/shop", "::1")]
    [InlineData("postgres://db.example.org/shop", "db.example.org")]
    [InlineData("postgres:Host=db-1,db-2:5433;Database=shop", "db-1,db-2:5433")]
    public void Hosts_are_taken_as_they_are_named(string text, string host)
    {
        var server = (StoreAddress.ServerAddress)StoreAddress.Parse("--store", text, "coppice");

        Assert.Equal(host, new NpgsqlConnectionStringBuilder(server.ConnectionString).Host);
    }

    [Fact]
    public void What_libpq_calls_otherwise_is_understood()
    {
        var server = (StoreAddress.ServerAddress)StoreAddress.Parse("--store", "postgres://db/shop?sslmode=verify-full&connect_timeout=7&application_name=my-app", "coppice");
        var settings = new NpgsqlConnectionStringBuilder(server.ConnectionString);

        Assert.Equal((SslMode.VerifyFull, 7, "my-app"), (settings.SslMode, settings.Timeout, settings.ApplicationName));
    }

    [Theory]
    [InlineData("postgres:nonsense=s3cret")]
    [InlineData("postgres:Host=db;Port=s3cret")]
    [InlineData("postgres://app:s3cret@db:99999999/shop")]
    [InlineData("postgres://app:s3cret@db/shop?nonsense=1")]
    [InlineData("postgres://app:s3cret@db/shop?sslmode")]
    public void What_cannot_be_read_is_refused_and_not_quoted(string text)
    {
        var error = Assert.Throws<CliException>(() => StoreAddress.Parse("--to", text, "coppice"));

        Assert.Equal(ExitCodes.Usage, error.ExitCode);
        Assert.StartsWith("--to cannot be read; it is a path, sqlite:", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", error.ToString(), StringComparison.Ordinal);
    }
}
