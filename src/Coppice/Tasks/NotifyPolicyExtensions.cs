using System.Diagnostics.CodeAnalysis;

namespace Coppice;

/// <summary>The names of the policies in JSON.</summary>
public static class NotifyPolicyExtensions
{
    /// <summary>The policy's name in JSON, in snake_case: <c>done_only</c>, <c>each_event</c>, <c>silent</c>.</summary>
    /// <param name="policy">Any defined policy.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="policy"/> is not defined.</exception>
    public static string ToWireName(this NotifyPolicy policy) => policy switch
    {
        NotifyPolicy.DoneOnly => "done_only",
        NotifyPolicy.EachEvent => "each_event",
        NotifyPolicy.Silent => "silent",
        _ => throw new ArgumentOutOfRangeException(nameof(policy), policy, "There is no such policy."),
    };

    /// <summary>Reads a policy's name as <see cref="ToWireName"/> writes it.</summary>
    /// <param name="name">The name; compared exactly.</param>
    /// <param name="policy">The policy, or <see cref="NotifyPolicy.DoneOnly"/> when the name is none.</param>
    /// <returns>Whether the name is that of a policy.</returns>
    public static bool TryParseWireName([NotNullWhen(true)] string? name, out NotifyPolicy policy)
    {
        foreach (var candidate in Enum.GetValues<NotifyPolicy>())
        {
            if (candidate.ToWireName() == name)
            {
                policy = candidate;
                return true;
            }
        }

        policy = default;
        return false;
    }
}
