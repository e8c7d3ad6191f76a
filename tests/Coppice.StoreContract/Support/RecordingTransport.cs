namespace Coppice.StoreContract;

/// <summary>A transport that carries what goes to threads named <c>remote…</c>, writes down what it sends, and can be waited for.</summary>
public sealed class RecordingTransport : IMessageTransport
{
    private readonly Lock _lock = new();
    private readonly List<OutgoingMessage> _attempts = [];
    private readonly List<OutgoingMessage> _sent = [];
    private readonly HashSet<string> _underWay = [];
    private Signal _next = new();

    /// <summary>Gets or sets what happens to a message; it is sent when this returns.</summary>
    public Func<OutgoingMessage, CancellationToken, Task> OnSend { get; set; } = static (_, _) => Task.CompletedTask;

    /// <summary>Gets the attempts, in order.</summary>
    public IReadOnlyList<OutgoingMessage> Attempts => Copy(_attempts);

    /// <summary>Gets what was sent, in order.</summary>
    public IReadOnlyList<OutgoingMessage> Sent => Copy(_sent);

    /// <summary>Gets how many attempts went on at the same time, at the most.</summary>
    public int MostAtOnce { get; private set; }

    /// <summary>Gets whether two attempts at one sender and recipient went on at the same time.</summary>
    public bool HasMixedLanes { get; private set; }

    /// <inheritdoc/>
    public bool Carries(string toThreadId, string? toAgentId)
    {
        ArgumentNullException.ThrowIfNull(toThreadId);
        return toThreadId.StartsWith("remote", StringComparison.Ordinal);
    }

    /// <inheritdoc/>
    public async ValueTask SendAsync(OutgoingMessage message, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(message);
        var lane = message.Message.FromThreadId + " to " + message.ToThreadId;
        lock (_lock)
        {
            HasMixedLanes |= !_underWay.Add(lane);
            MostAtOnce = Math.Max(MostAtOnce, _underWay.Count);
            _attempts.Add(message);
            Tell();
        }

        try
        {
            await OnSend(message, cancellationToken);
            lock (_lock)
            {
                _sent.Add(message);
                Tell();
            }
        }
        finally
        {
            lock (_lock)
            {
                _underWay.Remove(lane);
            }
        }
    }

    /// <summary>Waits until it has so much to show.</summary>
    public async Task UntilAsync(Func<RecordingTransport, bool> condition)
    {
        ArgumentNullException.ThrowIfNull(condition);
        while (true)
        {
            Signal next;
            lock (_lock)
            {
                next = _next;
            }

            if (condition(this))
            {
                return;
            }

            await next.WaitAsync();
        }
    }

    private List<OutgoingMessage> Copy(List<OutgoingMessage> messages)
    {
        lock (_lock)
        {
            return [.. messages];
        }
    }

    private void Tell()
    {
        var next = _next;
        _next = new Signal();
        next.Set();
    }
}
