using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace Coppice.Architecture.Tests.PublicApi;

/// <summary>An assembly's public API as text that reads like C#, in an order that does not depend on the compiler.</summary>
internal static class ApiText
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    internal static string Of(Assembly assembly)
    {
        var text = new StringBuilder();
        foreach (var type in assembly.GetExportedTypes().OrderBy(t => t.FullName, StringComparer.Ordinal))
        {
            text.Append(ApiSignature.Of(type)).Append('\n');
            foreach (var member in Members(type))
            {
                text.Append("    ").Append(member).Append('\n');
            }

            text.Append('\n');
        }

        return text.ToString();
    }

    private static IEnumerable<string> Members(Type type)
    {
        if (type.IsEnum)
        {
            return type.GetFields(BindingFlags.Public | BindingFlags.Static)
                .OrderBy(f => Convert.ToInt64(f.GetRawConstantValue(), null))
                .Select(f => $"{f.Name} = {f.GetRawConstantValue()}");
        }

        if (type.IsSubclassOf(typeof(Delegate)))
        {
            return [];
        }

        var fields = type.GetFields(Declared).Where(f => IsVisible(type, f)).Select(f => (f.Name, Text: ApiSignature.Of(f)));
        var constructors = type.GetConstructors(Declared).Where(c => IsVisible(type, c)).Select(c => (c.Name, Text: ApiSignature.Of(c)));
        var properties = type.GetProperties(Declared).Where(p => IsVisible(type, p)).Select(p => (p.Name, Text: ApiSignature.Of(p)));
        var events = type.GetEvents(Declared).Where(e => IsVisible(type, e.AddMethod!)).Select(e => (e.Name, Text: ApiSignature.Of(e)));
        var methods = type.GetMethods(Declared).Where(m => IsVisible(type, m) && (!m.IsSpecialName || IsOperator(m)))
            .Select(m => (m.Name, Text: ApiSignature.Of(m)));

        return new[] { fields, constructors, properties, events, methods }.SelectMany(
            kind => kind.OrderBy(m => m.Name, StringComparer.Ordinal).ThenBy(m => m.Text, StringComparer.Ordinal).Select(m => m.Text));
    }

    private static bool IsVisible(Type type, FieldInfo field) =>
        field.IsPublic || (!type.IsSealed && (field.IsFamily || field.IsFamilyOrAssembly));

    private static bool IsVisible(Type type, PropertyInfo property) =>
        property.GetAccessors(true).Any(accessor => ApiSignature.IsVisible(type, accessor)) && property.Name != "EqualityContract";

    /// <summary>What the compiler adds to a record is left out: it follows from the word.</summary>
    private static bool IsVisible(Type type, MethodBase method) =>
        ApiSignature.IsVisible(type, method) && !method.IsDefined(typeof(CompilerGeneratedAttribute));

    private static bool IsOperator(MethodInfo method) => method.Name.StartsWith("op_", StringComparison.Ordinal);
}
