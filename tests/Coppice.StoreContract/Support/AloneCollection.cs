namespace Coppice.StoreContract;

/// <summary>Tests that take the whole machine, so nothing else runs beside them.</summary>
[CollectionDefinition(DisableParallelization = true)]
public sealed class AloneCollection;
