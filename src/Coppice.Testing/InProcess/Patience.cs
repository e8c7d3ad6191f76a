namespace Coppice.Testing;

/// <summary>How long a test waits in real time before it fails instead of hanging.</summary>
internal sealed class Patience : IDisposable
{
    internal static readonly TimeSpan Usual = TimeSpan.FromSeconds(10);

    private readonly CancellationToken _caller;
    private readonly CancellationTokenSource _source;

    internal Patience(TimeSpan? within, CancellationToken caller)
    {
        Length = within ?? Usual;
        ArgumentOutOfRangeException.ThrowIfLessThan(Length, TimeSpan.Zero, nameof(within));
        caller.ThrowIfCancellationRequested();
        _caller = caller;
        _source = CancellationTokenSource.CreateLinkedTokenSource(caller);
        _source.CancelAfter(Length);
    }

    internal TimeSpan Length { get; }

    internal CancellationToken Token => _source.Token;

    internal bool IsOver => _source.IsCancellationRequested && !_caller.IsCancellationRequested;

    public void Dispose() => _source.Dispose();
}
