using System.Text.Json.Serialization;

namespace Coppice.CrashChild;

[JsonSerializable(typeof(int))]
internal sealed partial class CrashJson : JsonSerializerContext;
