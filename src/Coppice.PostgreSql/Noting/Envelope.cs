namespace Coppice.PostgreSql;

/// <summary>What is around the parts of a statement that <see cref="Composer"/> makes. Its own values come first.</summary>
/// <param name="Id">Tells it from the others.</param>
/// <param name="Values">How many values it has.</param>
/// <param name="Before">A part that comes before all others.</param>
/// <param name="Condition">The condition under which the parts write anything.</param>
/// <param name="Main">What the statement selects.</param>
internal sealed record Envelope(char Id, int Values, string? Before, string Condition, string Main)
{
    /// <summary>Gets what only writes.</summary>
    public static Envelope Plain { get; } = new('p', 0, null, "", "SELECT 1");

    /// <summary>Gets what marks the transaction too: by its writer and its number.</summary>
    public static Envelope Marked { get; } = new('m', 2, null, "", "SELECT {schema}.mark($1, $2)");

    /// <summary>Gets a whole transaction, which writes if what the host knows still holds.</summary>
    public static Envelope Ahead { get; } = new(
        'a', 8, "held AS MATERIALIZED (SELECT {schema}.hold($1, $2, $3, $4, $5, $6, $7, $8) AS revision)",
        " AND (SELECT revision FROM held) IS NOT NULL", "SELECT revision FROM held");
}
