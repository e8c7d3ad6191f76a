using System.Text.Json;

namespace Coppice;

/// <summary>Entries of a conversation that were asked for.</summary>
/// <param name="Count">How many entries the conversation has in all.</param>
/// <param name="Entries">The entries, in order.</param>
public readonly record struct ConversationPage(int Count, IReadOnlyList<JsonElement> Entries);
