using Microsoft.Extensions.AI;

namespace Coppice.Samples.ResearchTeam;

/// <summary>A sub-agent's model: says where it would look, and takes up what it is asked or told later.</summary>
internal sealed class ScriptedExpert : ScriptedModel
{
    private readonly string _view;

    private ScriptedExpert(string view, TimeSpan thinking)
        : base(thinking, TimeProvider.System) => _view = view;

    // They think for different times, so that their results do not come all at once.
    internal static ScriptedExpert Create(string member) => member switch
    {
        "historian" => new("The first cases on record are the best documented: begin with who noticed, and what was changed then.", Seconds(0.4)),
        "engineer" => new("It is rarely one cause: look for load, wear and neglect that meet, and put a price on each.", Seconds(0.8)),
        _ => new("Only what went wrong gets counted: ask how often it went well, or the numbers mean nothing.", Seconds(1.6)),
    };

    protected override ChatMessage Answer(IReadOnlyList<ChatMessage> messages, ChatOptions options)
    {
        var answer = _view;
        if (ToldMail.In(messages).Select(mail => mail.Message).LastOrDefault(message => message is not null) is { } heard)
        {
            answer += $" And having heard \"{Shortened(heard)}\" I insist on it all the more.";
        }

        if (Prompts(messages) is [_, .., var followUp])
        {
            answer = $"To \"{Shortened(followUp)}\": the wear. It costs a little every year or everything at once.";
        }

        return new ChatMessage(ChatRole.Assistant, answer);
    }

    private static List<string> Prompts(IReadOnlyList<ChatMessage> messages) =>
        [.. messages.Where(message => message.Role == ChatRole.User && !message.Text.StartsWith('<')).Select(message => message.Text)];

    private static string Shortened(string text) => text.Length <= 60 ? text : $"{text.AsSpan(0, 59)}…";

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);
}
