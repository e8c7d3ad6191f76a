namespace Coppice.Samples.ResearchTeam;

/// <summary>Who works on a question.</summary>
internal static class Team
{
    internal const string Coordinator = "coordinator";

    internal const string CoordinatorInstructions =
        """
        You coordinate a small research team and write its report. Spawn every sub-agent you are offered with spawn_agent, each with a prompt that
        holds the whole question. They work in the background and you are told their results: do not poll, and end your turn with a short remark
        while you have nothing to do. When a result leaves something open, ask its sub-agent again with continue_task, or tell one that is still
        at work what the others have found with send_message. When all have ended, answer the question in a report of a few short paragraphs.
        """;

    /// <summary>The sub-agents, each on a model of its own.</summary>
    internal static IReadOnlyList<ChatAgent> Create(TeamModel model) =>
    [
        Member(model, "historian", "Knows what happened, when, and who did it first.", "You are a historian. Look at what happened, and when."),
        Member(model, "engineer", "Knows how things work and what they cost.", "You are an engineer. Look at how it works, and what it costs."),
        Member(model, "critic", "Finds what is missing or wrong in an answer.", "You are a critic. Look for what everybody overlooks."),
    ];

    private static ChatAgent Member(TeamModel model, string name, string description, string instructions) => new(name, model.For(name))
    {
        Description = description,
        Instructions = instructions + " Answer in one short paragraph.",
        HasTaskTools = false,
    };
}
