using System.Text.Json;
using Coppice.WithoutReflection;

// Reads lines of JSON, each a task or an event, and writes it again. Coppice.Tests starts it.
if (JsonSerializer.IsReflectionEnabledByDefault)
{
    Console.Error.WriteLine("Reflection is on; this program proves nothing.");
    return 2;
}

while (Console.In.ReadLine() is { } line)
{
    Console.Out.WriteLine(line.Contains("\"kind\"", StringComparison.Ordinal) ? Mail(line) : Task(line));
}

return 0;

static string Mail(string json)
{
    var mail = JsonSerializer.Deserialize(json, WireContext.Default.MailEvent)!;
    var byOwnType = JsonSerializer.Serialize(mail, mail.GetType(), WireContext.Default);
    var byBase = JsonSerializer.Serialize(mail, WireContext.Default.MailEvent);
    return byOwnType == byBase ? byBase : "the static type changes what is written";
}

static string Task(string json) =>
    JsonSerializer.Serialize(JsonSerializer.Deserialize(json, WireContext.Default.TaskSnapshot)!, WireContext.Default.TaskSnapshot);
