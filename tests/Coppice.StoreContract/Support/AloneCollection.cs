namespace Coppice.StoreContract;

/// <summary>
/// Tests that take the whole machine, or weigh it, so nothing else may run beside them. The test framework looks for the definition of a
/// collection only in the assembly of the tests, so each has one:
/// <c>[CollectionDefinition(AloneCollection.Name, DisableParallelization = true)] public sealed class Alone;</c>
/// </summary>
public static class AloneCollection
{
    /// <summary>The name of the collection.</summary>
    public const string Name = "alone";
}
