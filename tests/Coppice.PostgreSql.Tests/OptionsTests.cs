using Coppice.PostgreSql.Tests.Support;
using Coppice.StoreContract;
using Npgsql;

namespace Coppice.PostgreSql.Tests;

/// <summary>What the options and the connection string may be, and what is said of those that will not do.</summary>
public sealed class OptionsTests
{
    private const string Secret = "s3cret-pa55word";
    private const string Nowhere = $"Host=127.0.0.1;Port=1;Username=nobody;Password={Secret};Timeout=5";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static TheoryData<string, PostgreSqlTaskStoreOptions> OutOfRange => new()
    {
        { "ReaderConnections (0) must be from 1 to 256", new() { ReaderConnections = 0 } },
        { "ReaderConnections (257) must be from 1 to 256", new() { ReaderConnections = 257 } },
        { "ReaderConnections (-2147483648) must be from 1 to 256", new() { ReaderConnections = int.MinValue } },
        { "CommandTimeout (00:00:00.9990000) must be from 1 second to 10 minutes", new() { CommandTimeout = TimeSpan.FromMilliseconds(999) } },
        { "CommandTimeout (00:10:00.0010000) must be from 1 second to 10 minutes", new() { CommandTimeout = TimeSpan.FromMilliseconds(600_001) } },
        { "CommandTimeout (-00:00:00.0010000) must be from 1 second to 10 minutes", new() { CommandTimeout = Timeout.InfiniteTimeSpan } },
        { "PollInterval (00:00:00.0990000) must be from 100 milliseconds to 10 minutes", new() { PollInterval = TimeSpan.FromMilliseconds(99) } },
        { "PollInterval (00:10:00.0010000) must be from 100 milliseconds to 10 minutes", new() { PollInterval = TimeSpan.FromMilliseconds(600_001) } },
        { "Schema ('Mine') is not the name of a schema", new() { Schema = "Mine" } },
        { "Schema ('') is not the name of a schema", new() { Schema = null! } },
    };

    [Theory]
    [MemberData(nameof(OutOfRange), DisableDiscoveryEnumeration = true)]
    public async Task An_option_out_of_range_is_named_with_its_value_before_anything_is_connected_to(string expected, PostgreSqlTaskStoreOptions options)
    {
        var error = await Assert.ThrowsAsync<ArgumentException>(async () => await PostgreSqlTaskStore.OpenAsync(Nowhere, options, Stop));

        Assert.StartsWith($"PostgreSqlTaskStoreOptions.{expected}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_ends_of_the_ranges_are_taken()
    {
        await using var schema = await ScratchSchema.ReserveAsync();
        PostgreSqlTaskStoreOptions[] ends =
        [
            new() { Schema = schema.Name, ReaderConnections = 1, CommandTimeout = TimeSpan.FromSeconds(1), PollInterval = TimeSpan.FromMilliseconds(100) },
            new() { Schema = schema.Name, ReaderConnections = 256, CommandTimeout = TimeSpan.FromMinutes(10), PollInterval = TimeSpan.FromMinutes(10) },
        ];
        await schema.ExecuteAsync(PostgreSqlSchema.CreateScript(schema.Name));

        foreach (var options in ends)
        {
            await using var store = await OpenAsync(await PostgresServer.ConnectionStringAsync(), options);
            Assert.Null(await store.GetAsync("bg_0", Stop));
        }
    }

    [Fact]
    public async Task Options_are_read_once()
    {
        await using var schema = await ScratchSchema.ReserveAsync();
        var options = new PostgreSqlTaskStoreOptions { Schema = schema.Name };
        await using var store = await OpenAsync(await PostgresServer.ConnectionStringAsync(), options);

        options.Schema = "another";

        Assert.Null(await store.GetAsync("bg_0", Stop));
    }

    [Theory]
    [InlineData($"{Secret}")]
    [InlineData($"Host=h;Password={Secret};Bogus=1")]
    [InlineData($"Host=h;Password={Secret};{Secret}=1")]
    [InlineData($"Host=h;Port={Secret}")]
    [InlineData($"Host=h;Port=99999;Password={Secret}")]
    [InlineData($"Host=h;Port=99999999999999999999;Password={Secret}")]
    [InlineData($"Host=h;SSL Mode={Secret}")]
    [InlineData($"Host=h;Password=\"{Secret}")]
    [InlineData($"Host=h;Timeout=-1;Password={Secret}")]
    [InlineData($"Password={Secret}")]
    [InlineData($"Host= ;Password={Secret}")]
    public async Task A_connection_string_that_cannot_be_used_is_a_mistake_and_is_not_quoted(string connectionString)
    {
        var error = await Assert.ThrowsAnyAsync<ArgumentException>(async () => await PostgreSqlTaskStore.OpenAsync(connectionString, null, Stop));

        Assert.Equal("connectionString", error.ParamName);
        Assert.Contains("Host=…", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("  ")]
    public async Task A_missing_connection_string_is_a_mistake(string? connectionString) =>
        await Assert.ThrowsAnyAsync<ArgumentException>(async () => await PostgreSqlTaskStore.OpenAsync(connectionString!, null, Stop));

    [Fact]
    public async Task A_wrong_password_does_not_open_the_store()
    {
        var error = await RefusedAsync(settings => settings.Password = Secret);

        Assert.Equal(("store_not_openable", false), (error.Code, error.IsTransient));
    }

    [Fact]
    public async Task A_missing_password_does_not_open_the_store()
    {
        var error = await RefusedAsync(settings => settings.Password = null);

        Assert.Equal(("store_not_openable", false), (error.Code, error.IsTransient));
    }

    [Fact]
    public async Task A_role_that_there_is_not_does_not_open_the_store()
    {
        var error = await RefusedAsync(settings => (settings.Username, settings.Password) = ("nobody_of_that_name", Secret));

        Assert.Equal(("store_not_openable", false), (error.Code, error.IsTransient));
    }

    [Theory]
    [InlineData("127.0.0.1", 1)]
    [InlineData("no-such-host.invalid", 5432)]
    [InlineData("127.0.0.1:1,127.0.0.1:2", 5432)]
    public async Task A_server_that_is_not_there_is_unavailable_and_may_come_back(string host, int port)
    {
        var error = await RefusedAsync(settings => (settings.Host, settings.Port, settings.Password, settings.Timeout) = (host, port, Secret, 5));

        Assert.Equal(("store_unavailable", true), (error.Code, error.IsTransient));
        Assert.Contains(host, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_that_there_is_not_is_not_found()
    {
        var password = new NpgsqlConnectionStringBuilder(await PostgresServer.ConnectionStringAsync()).Password!;

        var error = await RefusedAsync(settings => settings.Database = "no_such_database");

        Assert.Equal(("store_not_found", false), (error.Code, error.IsTransient));
        Assert.Contains("no_such_database", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(password, error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_open_that_nobody_waits_for_any_more_ends_as_cancelled()
    {
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await PostgreSqlTaskStore.OpenAsync(Nowhere, null, cancelled.Token));
    }

    private static async Task<PostgreSqlTaskStore> OpenAsync(string connectionString, PostgreSqlTaskStoreOptions options) =>
        await PostgreSqlTaskStore.OpenAsync(connectionString, options, Stop).Within();

    private static async Task<TaskStoreException> RefusedAsync(Action<NpgsqlConnectionStringBuilder> change)
    {
        var settings = new NpgsqlConnectionStringBuilder(await PostgresServer.ConnectionStringAsync());
        change(settings);
        var error = await Assert.ThrowsAsync<TaskStoreException>(() => OpenAsync(settings.ConnectionString, new()));
        Assert.DoesNotContain(Secret, error.ToString(), StringComparison.Ordinal);
        Assert.True(error.IsKnownNotCommitted);
        return error;
    }
}
