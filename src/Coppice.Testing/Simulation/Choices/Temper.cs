namespace Coppice.Testing;

/// <summary>
/// How one explored history likes to choose. Histories that differ in this find more than histories that are all equally wild: some
/// faults need an otherwise quiet run, others a store that hardly ever answers.
/// </summary>
/// <param name="Order">How often the oldest step comes first.</param>
/// <param name="Waiting">How often time passes although something is ready, where the order is not kept.</param>
/// <param name="Slowness">How often a call of the store takes steps of its own instead of being answered at once.</param>
/// <param name="Trouble">What the likelihoods of the faults are multiplied with.</param>
internal readonly record struct Temper(double Order, double Waiting, double Slowness, double Trouble)
{
    private static readonly double[] Orders = [0, 0.3, 0.6, 0.8, 0.95];
    private static readonly double[] Waits = [0, 0.02, 0.1, 0.3];
    private static readonly double[] Slownesses = [0, 0.1, 0.5, 0.9, 1];
    private static readonly double[] Troubles = [0, 0.2, 1, 1, 3];

    internal static Temper From(SeededRandom random) =>
        new(Of(random, Orders), Of(random, Waits), Of(random, Slownesses), Of(random, Troubles));

    private static double Of(SeededRandom random, double[] values) => values[random.Next(values.Length)];
}
