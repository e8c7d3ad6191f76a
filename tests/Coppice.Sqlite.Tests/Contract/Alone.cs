using Coppice.StoreContract;

namespace Coppice.Sqlite.Tests.Contract;

[CollectionDefinition(AloneCollection.Name, DisableParallelization = true)]
public sealed class Alone;
