namespace Coppice.PostgreSql.Tests.Noting;

/// <summary>What is sent of rows that change again and again before they are.</summary>
public sealed class ImagesTests
{
    private readonly Images<(long Key, string? Once)> _images;

    public ImagesTests()
    {
        Column<(long Key, string? Once)>[] key = [new NumberColumn<(long Key, string? Once)>("n", static row => row.Key)];
        Column<(long Key, string? Once)>[] once = [new TextColumn<(long Key, string? Once)>("once", static row => row.Once) { IsSetOnce = true }];
        _images = new(
            RowWriter<(long Key, string? Once)>.Inserts("t", [.. key, .. once]),
            RowWriter<(long Key, string? Once)>.Updates("t", key, once),
            RowWriter<(long Key, string? Once)>.Deletes("t", key),
            static (before, now) => (now.Key, now.Once ?? before.Once));
    }

    [Fact]
    public void A_row_that_is_added_and_changed_is_written_once()
    {
        _images.Insert(1, (1, null));
        _images.Update(1, (1, "a"));
        _images.Update(1, (1, null));

        Assert.Equal(["INSERT INTO t (n, once) SELECT $1, $2 WHERE true : 1 a"], Sent());
    }

    [Fact]
    public void A_row_that_comes_and_goes_is_not_written()
    {
        _images.Insert(1, (1, "a"));
        _images.Delete(1, (1, null));

        Assert.Empty(Sent());
    }

    [Fact]
    public void A_row_in_the_place_of_one_that_went_is_added_after_that_is_deleted()
    {
        _images.Update(1, (1, "a"));
        _images.Delete(1, (1, null));
        _images.Insert(1, (1, "b"));

        Assert.Equal(["DELETE FROM t WHERE n = $1 : 1", "INSERT INTO t (n, once) SELECT $1, $2 WHERE true : 1 b"], Sent());
    }

    [Fact]
    public void Many_rows_are_written_by_one_statement()
    {
        for (var key = 1; key <= 9; key++)
        {
            _images.Update(key, (key, "a"));
        }

        Assert.Equal(
            "UPDATE t t SET once = coalesce(u.once, t.once) FROM unnest($1, $2) AS u (n, once) WHERE t.n = u.n", Assert.Single(Sent()).Split(" : ")[0]);
    }

    [Fact]
    public void What_came_after_a_mark_is_taken_back_alone()
    {
        _images.Insert(1, (1, "a"));
        _images.Mark();
        _images.Update(1, (1, "b"));
        _images.Insert(2, (2, "c"));
        _images.TakeBack();

        Assert.Equal(["INSERT INTO t (n, once) SELECT $1, $2 WHERE true : 1 a"], Sent());
    }

    [Fact]
    public void What_came_after_a_mark_that_is_kept_is_written_with_what_was_before()
    {
        _images.Insert(1, (1, "a"));
        _images.Insert(2, (2, "b"));
        _images.Mark();
        _images.Update(1, (1, "c"));
        _images.Delete(2, (2, null));
        _images.Keep();

        Assert.Equal(["INSERT INTO t (n, once) SELECT $1, $2 WHERE true : 1 c"], Sent());
    }

    [Fact]
    public void What_was_there_before_a_mark_is_sent_without_what_came_after()
    {
        _images.Insert(1, (1, "a"));
        _images.Mark();
        _images.Update(1, (1, "b"));

        Assert.Equal(["INSERT INTO t (n, once) SELECT $1, $2 WHERE true : 1 a"], Sent());
        var rest = new Outgoing();
        _images.SendRest(rest);
        Assert.Equal("UPDATE t SET once = coalesce($2, once) WHERE n = $1", Assert.Single(rest.Parts).Text.At(1, ""));
    }

    private IEnumerable<string> Sent()
    {
        var outgoing = new Outgoing();
        _images.SendMarked(outgoing);
        return [.. outgoing.Parts.Select(static part =>
            $"{part.Text.At(1, "").TrimEnd()} : {string.Join(' ', part.Values.Select(static parameter => parameter.Value))}")];
    }
}
