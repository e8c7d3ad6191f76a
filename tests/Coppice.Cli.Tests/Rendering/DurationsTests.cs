using Coppice.Cli.Rendering;

namespace Coppice.Cli.Tests.Rendering;

public sealed class DurationsTests
{
    [Theory]
    [InlineData("45s", 45)]
    [InlineData("30m", 1800)]
    [InlineData("12h", 43200)]
    [InlineData("7d", 604800)]
    [InlineData("2w", 1209600)]
    [InlineData("2W", 1209600)]
    [InlineData(" 0d ", 0)]
    public void A_number_with_a_unit_is_a_duration(string text, long seconds)
    {
        Assert.True(Durations.TryParse(text, out var duration, out _));
        Assert.Equal(TimeSpan.FromSeconds(seconds), duration);
    }

    [Theory]
    [InlineData("")]
    [InlineData("7")]
    [InlineData("d")]
    [InlineData("-7d")]
    [InlineData("1.5h")]
    [InlineData("7 days")]
    [InlineData("7y")]
    [InlineData("٧d")]
    public void Anything_else_is_refused_with_what_to_write(string text)
    {
        Assert.False(Durations.TryParse(text, out _, out var error));
        Assert.Contains("12h", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("99999999999999999w")]
    [InlineData("9223372036854775807d")]
    [InlineData("36501d")]
    public void A_duration_beyond_a_hundred_years_is_refused(string text)
    {
        Assert.False(Durations.TryParse(text, out _, out var error));
        Assert.NotEmpty(error);
    }

    [Theory]
    [InlineData(0, "0 ms")]
    [InlineData(850, "850 ms")]
    [InlineData(4_200, "4.2 s")]
    [InlineData(200_000, "3 min 20 s")]
    [InlineData(7_500_000, "2 h 5 min")]
    [InlineData(273_600_000, "3 d 4 h")]
    [InlineData(-5, "0 ms")]
    public void A_duration_is_shown_in_two_units_at_the_most(long milliseconds, string shown) =>
        Assert.Equal(shown, Durations.Show(TimeSpan.FromMilliseconds(milliseconds)));

    [Theory]
    [InlineData(999, "999 B")]
    [InlineData(1_200, "1.20 kB")]
    [InlineData(999_499, "999 kB")]
    [InlineData(999_501, "1.00 MB")]
    [InlineData(34_500_000, "34.5 MB")]
    [InlineData(long.MaxValue, "9.22 EB")]
    public void A_size_is_shown_with_three_digits(long bytes, string shown) => Assert.Equal(shown, Amounts.Bytes(bytes));
}
