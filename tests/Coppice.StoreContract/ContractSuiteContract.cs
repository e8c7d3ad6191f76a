using System.Reflection;

namespace Coppice.StoreContract;

/// <summary>
/// Fails when the assembly of the derived class lacks one of the contract classes for the store. Derive from it first: without it
/// nobody notices a class that was forgotten.
/// </summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class ContractSuiteContract<TStore>
    where TStore : StoreFixture, new()
{
    /// <summary>Gets the contract classes (open, such as <c>typeof(Law09OrphansContract&lt;&gt;)</c>) that do not apply to the store, each with the reason.</summary>
    protected virtual IReadOnlyDictionary<Type, string> Skipped { get; } = new Dictionary<Type, string>();

    [Fact]
    public void Every_contract_class_is_derived_once_or_skipped_with_a_reason()
    {
        var derived = GetType().Assembly.GetTypes().Where(static type => type is { IsClass: true, IsAbstract: false, IsPublic: true }).ToList();

        foreach (var contract in Contracts())
        {
            var count = derived.Count(type => Derives(type, contract));
            if (Skipped.TryGetValue(contract, out var reason))
            {
                Assert.False(string.IsNullOrWhiteSpace(reason), $"{contract.Name} is skipped without a reason.");
                Assert.True(count == 0, $"{contract.Name} is both skipped and derived.");
                continue;
            }

            Assert.True(
                count == 1,
                $"{contract.Name} has {count} public derived classes for {typeof(TStore).Name} in {GetType().Assembly.GetName().Name}; it needs one.");
        }
    }

    [Fact]
    public void Only_contract_classes_are_skipped() => Assert.Subset(Contracts().ToHashSet(), Skipped.Keys.ToHashSet());

    [Fact]
    public void Tests_that_need_the_whole_machine_run_alone() => Assert.True(
        GetType().Assembly.GetTypes().SelectMany(static type => type.GetCustomAttributes<CollectionDefinitionAttribute>())
            .Any(static definition => definition is { Name: AloneCollection.Name, DisableParallelization: true }),
        $"The assembly lacks a collection definition named '{AloneCollection.Name}' without parallelisation; {nameof(AloneCollection)} shows it.");

    [Fact]
    public void Every_law_has_a_contract_class()
    {
        var names = Contracts().Select(static type => type.Name).ToList();
        Assert.All(Enumerable.Range(1, 14), law => Assert.Contains(names, name => name.StartsWith($"Law{law:00}", StringComparison.Ordinal)));
    }

    private static IEnumerable<Type> Contracts() =>
        typeof(ContractTest<>).Assembly.GetTypes().Where(static type =>
            type is { IsAbstract: true, IsGenericTypeDefinition: true }
            && type != typeof(ContractTest<>)
            && type.GetMethods(BindingFlags.Public | BindingFlags.Instance).Any(
                static method => method.GetCustomAttributes<FactAttribute>(inherit: true).Any())
            && type.BaseType is { IsGenericType: true } parent
            && parent.GetGenericTypeDefinition() == typeof(ContractTest<>));

    private static bool Derives(Type type, Type contract)
    {
        for (var current = type.BaseType; current is not null; current = current.BaseType)
        {
            if (current.IsGenericType && current.GetGenericTypeDefinition() == contract && current.GenericTypeArguments[0] == typeof(TStore))
            {
                return true;
            }
        }

        return false;
    }
}
