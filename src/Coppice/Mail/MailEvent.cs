using System.Text.Json.Serialization;

namespace Coppice;

/// <summary>What a mailbox holds. Its JSON carries the discriminator <c>kind</c>, whatever the static type.</summary>
[JsonConverter(typeof(MailEventJsonConverter<MailEvent>))]
public abstract record MailEvent
{
    private protected MailEvent()
    {
    }
}
