namespace Coppice.Testing;

/// <summary>
/// Makes a failing list of choices smaller for as long as the same thing goes wrong: shorter first, then with smaller choices. Since 0
/// is always the dull thing, a small list is a history in which little happens.
/// </summary>
/// <param name="fails">Runs a list. Returns the choices that were made when the same thing went wrong, else <see langword="null"/>.</param>
/// <param name="budget">How many runs it may take.</param>
internal sealed class Shrinker(Func<IReadOnlyList<int>, IReadOnlyList<int>?> fails, int budget)
{
    private int _left = budget;

    internal List<int> Shrink(IReadOnlyList<int> failing)
    {
        var best = Trimmed(failing);
        bool isSmaller;
        do
        {
            isSmaller = TryCutTail(ref best) | TryDelete(ref best) | TryZero(ref best) | TryLower(ref best);
        }
        while (isSmaller && _left > 0);

        return best;
    }

    private static List<int> Trimmed(IReadOnlyList<int> choices)
    {
        var end = choices.Count;
        while (end > 0 && choices[end - 1] == 0)
        {
            end--;
        }

        return [.. choices.Take(end)];
    }

    private static bool IsSmaller(List<int> left, List<int> right)
    {
        if (left.Count != right.Count)
        {
            return left.Count < right.Count;
        }

        for (var i = 0; i < left.Count; i++)
        {
            if (left[i] != right[i])
            {
                return left[i] < right[i];
            }
        }

        return false;
    }

    private bool Try(ref List<int> best, List<int> candidate)
    {
        if (_left <= 0 || !IsSmaller(Trimmed(candidate), best))
        {
            return false;
        }

        _left--;
        if (fails(candidate) is not { } made)
        {
            return false;
        }

        var trimmed = Trimmed(made);
        best = IsSmaller(trimmed, Trimmed(candidate)) ? trimmed : Trimmed(candidate);
        return true;
    }

    private bool TryCutTail(ref List<int> best)
    {
        var any = false;
        for (var cut = best.Count / 2; cut > 0; cut /= 2)
        {
            while (best.Count >= cut && Try(ref best, best[..^cut]))
            {
                any = true;
            }
        }

        return any;
    }

    private bool TryDelete(ref List<int> best)
    {
        var any = false;
        for (var size = Math.Max(1, best.Count / 4); size > 0; size /= 2)
        {
            for (var start = best.Count - size; start >= 0 && _left > 0; start -= size)
            {
                if (start + size <= best.Count)
                {
                    any |= Try(ref best, [.. best[..start], .. best[(start + size)..]]);
                }
            }
        }

        return any;
    }

    private bool TryZero(ref List<int> best)
    {
        var any = false;
        for (var size = Math.Max(1, best.Count / 4); size > 0; size /= 2)
        {
            for (var start = 0; start < best.Count && _left > 0; start += size)
            {
                var end = Math.Min(best.Count, start + size);
                any |= Try(ref best, [.. best[..start], .. Enumerable.Repeat(0, end - start), .. best[end..]]);
            }
        }

        return any;
    }

    private bool TryLower(ref List<int> best)
    {
        var any = false;
        for (var i = 0; i < best.Count && _left > 0; i++)
        {
            for (var lower = 1; i < best.Count && lower < best[i] && _left > 0; lower *= 2)
            {
                var candidate = new List<int>(best) { [i] = lower };
                if (Try(ref best, candidate))
                {
                    any = true;
                    break;
                }
            }
        }

        return any;
    }
}
