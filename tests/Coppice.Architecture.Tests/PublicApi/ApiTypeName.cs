using System.Reflection;

namespace Coppice.Architecture.Tests.PublicApi;

/// <summary>Names of types as C# writes them, without the namespaces that every reader knows.</summary>
internal static class ApiTypeName
{
    private static readonly Dictionary<Type, string> Keywords = new()
    {
        [typeof(bool)] = "bool", [typeof(byte)] = "byte", [typeof(char)] = "char", [typeof(double)] = "double", [typeof(int)] = "int",
        [typeof(long)] = "long", [typeof(object)] = "object", [typeof(short)] = "short", [typeof(string)] = "string",
        [typeof(uint)] = "uint", [typeof(ulong)] = "ulong", [typeof(void)] = "void",
    };

    /// <summary>A type where it is defined: with its namespace and its parameters.</summary>
    internal static string OfDefinition(Type type)
    {
        var outer = type.DeclaringType is { } declaring ? OfDefinition(declaring) : type.Namespace;
        var parameters = type.IsGenericType ? $"<{string.Join(", ", type.GetGenericArguments().Select(a => a.Name))}>" : "";
        return $"{outer}.{Simple(type)}{parameters}";
    }

    internal static string Simple(Type type)
    {
        var tick = type.Name.IndexOf('`', StringComparison.Ordinal);
        return tick < 0 ? type.Name : type.Name[..tick];
    }

    internal static string Of(Type type) => Name(type, type.GetGenericArguments().Select(Of));

    internal static string Of(NullabilityInfo info)
    {
        var type = info.Type.IsByRef ? info.Type.GetElementType()! : info.Type;
        if (Nullable.GetUnderlyingType(type) is { } value)
        {
            return Of(value) + "?";
        }

        var name = info.ElementType is { } element
            ? Of(element) + "[]"
            : Name(type, info.GenericTypeArguments.Length > 0 ? info.GenericTypeArguments.Select(Of) : type.GetGenericArguments().Select(Of));
        // Of a type parameter reflection cannot tell whether the question mark was written.
        return !type.IsValueType && !type.IsGenericParameter && info.ReadState == NullabilityState.Nullable ? name + "?" : name;
    }

    private static string Name(Type type, IEnumerable<string> arguments)
    {
        if (Keywords.TryGetValue(type, out var keyword))
        {
            return keyword;
        }

        if (type.IsArray)
        {
            return Of(type.GetElementType()!) + "[]";
        }

        if (type.IsByRef)
        {
            return Of(type.GetElementType()!);
        }

        if (Nullable.GetUnderlyingType(type) is { } value)
        {
            return Of(value) + "?";
        }

        var outer = type is { IsNested: true, IsGenericParameter: false } ? Of(type.DeclaringType!) + "." : "";
        return type.IsGenericType ? $"{outer}{Simple(type)}<{string.Join(", ", arguments)}>" : outer + type.Name;
    }
}
