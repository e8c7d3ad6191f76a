using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Coppice;

/// <summary>Writes what is kept of an attempt. Getters and converters are the application's: whatever they throw, the value cannot be stored.</summary>
internal static class StepValue
{
    internal static JsonElement Write<T>(T value, JsonTypeInfo<T> jsonTypeInfo, string what, string parameter)
    {
        try
        {
            return JsonSerializer.SerializeToElement(value, jsonTypeInfo);
        }
        catch (Exception e)
        {
            throw Unwritable<T>(what, parameter, e);
        }
    }

    [RequiresUnreferencedCode(JsonValue.ReflectionMessage)]
    [RequiresDynamicCode(JsonValue.ReflectionMessage)]
    internal static JsonElement Write<T>(T value, string what, string parameter)
    {
        try
        {
            return JsonValue.From(value);
        }
        catch (Exception e)
        {
            throw Unwritable<T>(what, parameter, e);
        }
    }

    private static UnstorableValueException Unwritable<T>(string what, string parameter, Exception thrown) =>
        new($"The {what} cannot be stored. {typeof(T).Name} cannot be written as JSON. {ExceptionText.Of(thrown)}", parameter, thrown);
}
