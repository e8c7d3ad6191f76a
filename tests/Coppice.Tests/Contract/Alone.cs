using Coppice.StoreContract;

namespace Coppice.Tests.Contract;

[CollectionDefinition(AloneCollection.Name, DisableParallelization = true)]
public sealed class Alone;
