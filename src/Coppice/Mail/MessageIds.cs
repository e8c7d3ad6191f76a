using System.Buffers.Binary;

namespace Coppice;

/// <summary>The ids of messages, and when they expire, by the clock and the chance of the options.</summary>
internal static class MessageIds
{
    private static readonly DateTimeOffset Last = DateTimeOffset.FromUnixTimeMilliseconds(DateTimeOffset.MaxValue.ToUnixTimeMilliseconds());

    /// <summary>A UUID v7, so that ids sort by time.</summary>
    internal static string New(BackgroundTaskOptions options)
    {
        Span<byte> id = stackalloc byte[16];
        options.Scheduler.NewGuid().TryWriteBytes(id, bigEndian: true, out _);

        // Whatever the first bytes say that is no time is kept, lower down.
        id[9] ^= id[1];
        id[10] ^= id[2];
        id[11] ^= id[3];
        Span<byte> time = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(time, options.TimeProvider.GetUtcNow().ToUnixTimeMilliseconds());
        time[2..].CopyTo(id);
        id[6] = (byte)(0x70 | (id[6] & 0x0F));
        id[8] = (byte)(0x80 | (id[8] & 0x3F));
        return new Guid(id, bigEndian: true).ToString();
    }

    internal static DateTimeOffset? ExpiryAfter(TimeSpan? timeToLive, TimeProvider time)
    {
        if (timeToLive is not { } span)
        {
            return null;
        }

        var now = time.GetUtcNow();
        return span >= Last - now ? Last : ToMilliseconds(now + span);
    }

    internal static DateTimeOffset? ToMilliseconds(DateTimeOffset? time) =>
        time is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at.ToUnixTimeMilliseconds()) : null;
}
