namespace Coppice.PostgreSql;

/// <summary>Where a page stands among those of its process.</summary>
internal enum PagePlace
{
    /// <summary>It is the next.</summary>
    Next,

    /// <summary>It was heard before.</summary>
    Again,

    /// <summary>It is neither: one or more before it are missing.</summary>
    AfterGap,
}

/// <summary>What was heard of a process: up to which page, and which the last ones were. A sender that got no answer sends them again, word for word.</summary>
internal sealed class HeardProcess
{
    private readonly int[] _last = new int[NewsSender.MostPages];
    private long _number;

    /// <summary>Takes in a page. The first may have any number, for what came before it was sent before anybody here listened.</summary>
    public PagePlace Take(long number, string text)
    {
        var hash = string.GetHashCode(text, StringComparison.Ordinal);
        ref var known = ref _last[number % _last.Length];
        if (_number != 0 && number <= _number && number > _number - _last.Length && known == hash)
        {
            return PagePlace.Again;
        }

        var place = _number == 0 || number == _number + 1 ? PagePlace.Next : PagePlace.AfterGap;
        _number = number;
        known = hash;
        return place;
    }
}
