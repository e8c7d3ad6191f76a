namespace Coppice.Agents.Tests;

public enum StoreKind
{
    Memory,
    Sqlite,
}
