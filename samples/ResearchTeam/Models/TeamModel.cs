using System.ClientModel;
using Microsoft.Extensions.AI;
using OpenAI;

namespace Coppice.Samples.ResearchTeam;

/// <summary>The model that the team works with: one for all, or a script for each.</summary>
internal sealed class TeamModel : IDisposable
{
    private readonly Func<string, IChatClient> _create;
    private readonly List<IChatClient> _created = [];

    private TeamModel(string description, Func<string, IChatClient> create)
    {
        Description = description;
        _create = create;
    }

    internal string Description { get; }

    internal static TeamModel Choose(ModelSettings? settings)
    {
        if (settings is null)
        {
            return new TeamModel(
                "scripted, without a network (OPENAI_MODEL takes a real one: see --help)",
                member => member == Team.Coordinator ? new ScriptedCoordinator() : ScriptedExpert.Create(member));
        }

        var client = new OpenAIClient(new ApiKeyCredential(settings.Key), new OpenAIClientOptions { Endpoint = settings.Endpoint });
        return new TeamModel($"{settings.Model} at {settings.Endpoint}", _ => new OpenAIChatClient(client, settings.Endpoint, settings.Model));
    }

    /// <summary>The model of one member. They share nothing that a conversation could change.</summary>
    internal IChatClient For(string member)
    {
        var client = _create(member);
        _created.Add(client);
        return client;
    }

    public void Dispose() => _created.ForEach(client => client.Dispose());
}
