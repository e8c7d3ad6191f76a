using Npgsql;

namespace Coppice.PostgreSql;

/// <summary>Statements that write, in the order in which they were noted.</summary>
internal sealed class NotedStatements : INoted
{
    private readonly List<NpgsqlCommand> _commands = [];
    private int? _mark;

    public void Add(NpgsqlCommand command) => _commands.Add(command);

    public void Mark() => _mark = _commands.Count;

    public void Keep() => _mark = null;

    public void TakeBack()
    {
        _commands.RemoveRange(_mark!.Value, _commands.Count - _mark.Value);
        _mark = null;
    }

    public void SendMarked(Outgoing outgoing) => Send(outgoing, _mark ?? _commands.Count);

    public void SendRest(Outgoing outgoing) => Send(outgoing, _commands.Count);

    public void Forget()
    {
        _commands.Clear();
        _mark = null;
    }

    private void Send(Outgoing outgoing, int count)
    {
        for (var i = 0; i < count; i++)
        {
            outgoing.Add(_commands[i]);
        }

        _commands.RemoveRange(0, count);
        _mark = _mark is null ? null : 0;
    }
}
