namespace Coppice.Properties.Tests.Support;

/// <summary>Smaller lists than one that fails, the much smaller first.</summary>
internal static class Shrinking
{
    internal static IEnumerable<IReadOnlyList<T>> Of<T>(IReadOnlyList<T> list, Func<T, IEnumerable<T>> smaller)
    {
        for (var length = list.Count; length > 0; length /= 2)
        {
            for (var at = 0; at + length <= list.Count; at += length)
            {
                yield return [.. list.Take(at), .. list.Skip(at + length)];
            }
        }

        for (var at = 0; at < list.Count; at++)
        {
            foreach (var item in smaller(list[at]))
            {
                yield return [.. list.Take(at), item, .. list.Skip(at + 1)];
            }
        }
    }
}
