using System.Globalization;
using System.Threading.Channels;

namespace Coppice.Testing;

/// <summary>What happens in the code under test and is awaited by the test, one after another.</summary>
internal sealed class Queued<T>
{
    private readonly Channel<T> _items = Channel.CreateUnbounded<T>();

    internal void Add(T item) => _items.Writer.TryWrite(item);

    internal async Task<T> NextAsync(string otherwise, TimeSpan? within, CancellationToken cancellationToken)
    {
        using var patience = new Patience(within, cancellationToken);
        try
        {
            return await _items.Reader.ReadAsync(patience.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (patience.IsOver)
        {
            throw new TaskAssertionException(
                string.Create(CultureInfo.InvariantCulture, $"{otherwise} within {patience.Length.TotalSeconds:0.###} s."), e);
        }
    }
}
