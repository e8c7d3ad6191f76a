using Microsoft.Data.Sqlite;

namespace Coppice.Sqlite.Tests;

/// <summary>A statement that is used again binds only what is different, and no value of an earlier use comes back.</summary>
public sealed class StatementTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly Connection _connection;

    public StatementTests()
    {
        _connection = new Connection(_folder.Store, SqliteOpenMode.ReadWriteCreate, TimeSpan.FromSeconds(1));
        _connection.Execute("CREATE TABLE t (n INTEGER PRIMARY KEY, a, b)");
    }

    public void Dispose()
    {
        _connection.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void What_a_row_holds_is_what_its_use_bound()
    {
        var seed = Environment.GetEnvironmentVariable("COPPICE_SEED") is { Length: > 0 } given
            ? int.Parse(given, System.Globalization.CultureInfo.InvariantCulture)
            : Random.Shared.Next(1_000_000);
        TestContext.Current.TestOutputHelper?.WriteLine($"COPPICE_SEED={seed}");
        var random = new Random(seed);
        string?[] texts = [null, "", "task", new string("task"), "é", "𝄞\0x", new string('l', 65), new string('L', 5000), new string('X', 70_000)];
        var expected = new List<(string? A, string? B)>();
        var insert = _connection.Prepare("INSERT INTO t (a, b) VALUES (?, ?)");
        _connection.Execute("BEGIN");
        for (var i = 0; i < 1000; i++)
        {
            var row = (texts[random.Next(texts.Length)], texts[random.Next(texts.Length)]);
            insert.Bind(row.Item1).Bind(row.Item2).Run();
            expected.Add(row);
        }

        _connection.Execute("COMMIT");

        var found = new List<(string?, string?)>();
        using (var rows = _connection.Prepare("SELECT a, b FROM t ORDER BY n").Rows())
        {
            while (rows.Next())
            {
                found.Add((rows.TextOrNull(0), rows.TextOrNull(1)));
            }
        }

        Assert.Equal(expected, found);
    }

    [Fact]
    public void Numbers_texts_and_nulls_of_earlier_uses_do_not_come_back()
    {
        object?[] values = [null, 1L, 1L, 2L, "1", "1", 1L, null, null, 2L, 2L, "", 0L, null, 0L];
        var insert = _connection.Prepare("INSERT INTO t (a, b) VALUES (?, ?)");
        foreach (var value in values)
        {
            _ = value is long number ? insert.Bind(number) : insert.Bind((string?)value);
            insert.Bind(7).Run();
        }

        var found = new List<object?>();
        using (var rows = _connection.Prepare("SELECT a, typeof(a), b FROM t ORDER BY n").Rows())
        {
            while (rows.Next())
            {
                found.Add(rows.Text(1) switch { "integer" => rows.Number(0), "text" => rows.Text(0), _ => null });
                Assert.Equal(7, rows.Number(2));
            }
        }

        Assert.Equal(values, found);
    }

    [Fact]
    public void A_number_takes_the_place_of_a_text_and_a_text_that_of_a_number()
    {
        var insert = _connection.Prepare("INSERT INTO t (a, b) VALUES (?, ?)");
        insert.Bind("same").Bind(1).Run();
        insert.Bind(2).Bind("same").Run();
        insert.Bind("same").Bind((long?)null).Run();
        insert.Bind((string?)null).Bind("same").Run();

        Assert.Equal("same|1,2|same,same|NULL,NULL|same", _connection.ScalarText("SELECT group_concat(ifnull(a, 'NULL') || '|' || ifnull(b, 'NULL'), ',') FROM t"));
    }

    [Fact]
    public void A_use_that_failed_leaves_nothing_to_the_next()
    {
        var insert = _connection.Prepare("INSERT INTO t (n, a) VALUES (?, ?)");
        insert.Bind(1).Bind("first").Run();
        Assert.Throws<SqliteException>(() => insert.Bind(1).Bind("again").Run());
        insert.Bind(2).Bind((string?)null).Run();

        Assert.Equal(1, _connection.Scalar("SELECT count(*) FROM t WHERE n = 2 AND a IS NULL"));
        Assert.Equal("first", _connection.ScalarText("SELECT a FROM t WHERE n = 1"));
    }
}
