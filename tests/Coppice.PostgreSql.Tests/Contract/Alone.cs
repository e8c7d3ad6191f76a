using Coppice.StoreContract;

namespace Coppice.PostgreSql.Tests.Contract;

[CollectionDefinition(AloneCollection.Name, DisableParallelization = true)]
public sealed class Alone;
