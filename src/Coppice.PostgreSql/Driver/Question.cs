using Npgsql;

namespace Coppice.PostgreSql;

/// <summary>A statement that is sent together with others, and who takes its rows in. It has a result, be it an empty one.</summary>
internal readonly record struct Question(NpgsqlCommand Command, Action<RowScope> Take);
