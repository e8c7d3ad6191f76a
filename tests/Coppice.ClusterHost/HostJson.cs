using System.Text.Json.Serialization;

namespace Coppice.ClusterHost;

[JsonSerializable(typeof(int))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(List<string>))]
[JsonSerializable(typeof(WorkInput))]
internal sealed partial class HostJson : JsonSerializerContext;
