namespace Coppice.Testing;

/// <summary>When a host crashes at a commit.</summary>
public enum CrashMoment
{
    /// <summary>Before the commit is stored.</summary>
    Before,

    /// <summary>After it was stored, and before its answer.</summary>
    AfterUnanswered,

    /// <summary>Right after its answer.</summary>
    AfterAnswered,
}
