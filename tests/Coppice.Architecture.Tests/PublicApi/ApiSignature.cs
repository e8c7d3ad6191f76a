using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Coppice.Architecture.Tests.PublicApi;

/// <summary>One type or member as a line of C#.</summary>
internal static class ApiSignature
{
    private static readonly NullabilityInfoContext Nullability = new();

    internal static string Of(Type type)
    {
        if (type.IsSubclassOf(typeof(Delegate)))
        {
            var invoke = type.GetMethod("Invoke")!;
            return $"public delegate {ReturnType(invoke)} {ApiTypeName.OfDefinition(type)}({Parameters(invoke)})";
        }

        var bases = new List<string>();
        if (type is { IsClass: true, BaseType: { } parent } && parent != typeof(object))
        {
            bases.Add(ApiTypeName.Of(parent));
        }
        else if (type.IsEnum && Enum.GetUnderlyingType(type) != typeof(int))
        {
            bases.Add(ApiTypeName.Of(Enum.GetUnderlyingType(type)));
        }

        if (!type.IsEnum)
        {
            var inherited = type.BaseType?.GetInterfaces() ?? [];
            bases.AddRange(type.GetInterfaces().Except(inherited).Where(i => i.IsVisible && !IsOwnEquality(type, i)).Select(ApiTypeName.Of).Order(StringComparer.Ordinal));
        }

        var basePart = bases.Count == 0 ? "" : " : " + string.Join(", ", bases);
        return $"public {Kind(type)} {ApiTypeName.OfDefinition(type)}{basePart}{Constraints(type.GetGenericArguments())}";
    }

    internal static string Of(FieldInfo field)
    {
        var type = ApiTypeName.Of(Nullability.Create(field));
        return field.IsLiteral
            ? $"{Access(field.IsPublic)}const {type} {field.Name} = {Literal(field.GetRawConstantValue())}"
            : $"{Access(field.IsPublic)}{(field.IsStatic ? "static " : "")}{(field.IsInitOnly ? "readonly " : "")}{type} {field.Name}";
    }

    internal static string Of(ConstructorInfo constructor) =>
        $"{Access(constructor.IsPublic)}{ApiTypeName.Simple(constructor.DeclaringType!)}({Parameters(constructor)})";

    internal static string Of(PropertyInfo property)
    {
        var accessors = property.GetAccessors(true).Where(a => IsVisible(property.DeclaringType!, a)).ToList();
        var isPublic = accessors.Any(a => a.IsPublic);
        var bodies = accessors.OrderByDescending(a => a == property.GetMethod).Select(a => Accessor(property, a, isPublic));
        var required = property.IsDefined(typeof(RequiredMemberAttribute)) ? "required " : "";
        var index = property.GetIndexParameters() is { Length: > 0 } parameters ? $"[{string.Join(", ", parameters.Select(Parameter))}]" : "";
        return $"{Access(isPublic)}{Modifiers(accessors[0])}{required}{ApiTypeName.Of(Nullability.Create(property))} {property.Name}{index} {{ {string.Join(' ', bodies)} }}";
    }

    internal static string Of(EventInfo member) =>
        $"{Access(member.AddMethod!.IsPublic)}{Modifiers(member.AddMethod)}event {ApiTypeName.Of(Nullability.Create(member))} {member.Name}";

    internal static string Of(MethodInfo method)
    {
        var generics = method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(a => a.Name))}>" : "";
        var isExtension = method.IsDefined(typeof(ExtensionAttribute)) ? "this " : "";
        return $"{Access(method.IsPublic)}{Modifiers(method)}{ReturnType(method)} {method.Name}{generics}({isExtension}{Parameters(method)}){Constraints(method.GetGenericArguments())}";
    }

    internal static bool IsVisible(Type type, MethodBase method) =>
        method.IsPublic || (!type.IsSealed && (method.IsFamily || method.IsFamilyOrAssembly));

    private static string Kind(Type type)
    {
        var isRecord = type.GetMethod("<Clone>$") is not null || type.GetMethod("PrintMembers", BindingFlags.NonPublic | BindingFlags.Instance) is not null;
        var record = isRecord ? "record " : "";
        return type switch
        {
            { IsEnum: true } => "enum",
            { IsInterface: true } => "interface",
            { IsValueType: true } => (type.IsDefined(typeof(IsReadOnlyAttribute)) ? "readonly " : "") + record + "struct",
            { IsAbstract: true, IsSealed: true } => "static class",
            { IsAbstract: true } => "abstract " + record + "class",
            { IsSealed: true } => "sealed " + record + "class",
            _ => record + "class",
        };
    }

    /// <summary>A record is comparable with itself, which goes without saying.</summary>
    private static bool IsOwnEquality(Type type, Type implemented) =>
        implemented.IsGenericType && implemented.GetGenericTypeDefinition() == typeof(IEquatable<>) && implemented.GetGenericArguments()[0] == type;

    private static string Access(bool isPublic) => isPublic ? "public " : "protected ";

    private static string Modifiers(MethodInfo method) => method switch
    {
        { IsStatic: true } => "static ",
        { DeclaringType.IsInterface: true } => "",
        { IsAbstract: true } => "abstract ",
        { IsVirtual: true, IsFinal: false } when method.GetBaseDefinition() != method => "override ",
        { IsVirtual: true, IsFinal: false } => "virtual ",
        _ => "",
    };

    private static string Accessor(PropertyInfo property, MethodInfo accessor, bool isPublicProperty)
    {
        var access = isPublicProperty && !accessor.IsPublic ? "protected " : "";
        var isInit = accessor.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit));
        return access + (accessor == property.GetMethod ? "get;" : isInit ? "init;" : "set;");
    }

    private static string ReturnType(MethodInfo method)
    {
        var type = method.ReturnType == typeof(void) ? "void" : ApiTypeName.Of(Nullability.Create(method.ReturnParameter));
        return method.ReturnType.IsByRef ? "ref " + type : type;
    }

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(Parameter));

    private static string Parameter(ParameterInfo parameter)
    {
        var passing = parameter switch
        {
            { IsOut: true } => "out ",
            { ParameterType.IsByRef: true } when parameter.IsDefined(typeof(IsReadOnlyAttribute)) => "in ",
            { ParameterType.IsByRef: true } => "ref ",
            _ when parameter.IsDefined(typeof(ParamArrayAttribute)) => "params ",
            _ => "",
        };
        var value = parameter.HasDefaultValue ? " = " + Literal(parameter.DefaultValue) : "";
        return $"{passing}{ApiTypeName.Of(Nullability.Create(parameter))} {parameter.Name}{value}";
    }

    private static string Constraints(Type[] arguments) => string.Concat(arguments.Where(a => a.IsGenericParameter).Select(Constraint));

    private static string Constraint(Type argument)
    {
        var constraints = new List<string>();
        var attributes = argument.GenericParameterAttributes;
        if (attributes.HasFlag(GenericParameterAttributes.NotNullableValueTypeConstraint))
        {
            constraints.Add("struct");
        }
        else if (attributes.HasFlag(GenericParameterAttributes.ReferenceTypeConstraint))
        {
            constraints.Add("class");
        }

        constraints.AddRange(argument.GetGenericParameterConstraints().Where(c => c != typeof(ValueType)).Select(ApiTypeName.Of));
        if (attributes.HasFlag(GenericParameterAttributes.DefaultConstructorConstraint) && !constraints.Contains("struct"))
        {
            constraints.Add("new()");
        }

        return constraints.Count == 0 ? "" : $" where {argument.Name} : {string.Join(", ", constraints)}";
    }

    private static string Literal(object? value) => value switch
    {
        null => "default",
        string text => $"\"{text}\"",
        bool flag => flag ? "true" : "false",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };
}
