namespace Coppice.Agents;

/// <summary>Which mail a model is told, as each task was spawned to have it. Looks each task up once.</summary>
internal sealed class NotifyRule(BackgroundTaskManager manager)
{
    // An ended task's entry goes with its terminal event, so that a long run does not keep what is past.
    private readonly Dictionary<string, NotifyPolicy> _policies = new(StringComparer.Ordinal);

    internal async ValueTask<bool> IsToldAsync(MailEvent mail, CancellationToken cancellationToken)
    {
        if (mail is not TaskEvent task || mail.GetClass() == MailClass.Message)
        {
            return true;
        }

        var policy = await PolicyOfAsync(task.TaskId, cancellationToken).ConfigureAwait(false);
        return policy == NotifyPolicy.EachEvent || (policy == NotifyPolicy.DoneOnly && task.IsTerminal);
    }

    /// <summary>The mail was told and acknowledged.</summary>
    internal void Forget(MailEvent mail)
    {
        if (mail is TaskEvent { IsTerminal: true } ended)
        {
            _policies.Remove(ended.TaskId);
        }
    }

    private async ValueTask<NotifyPolicy> PolicyOfAsync(string taskId, CancellationToken cancellationToken)
    {
        if (taskId.Length == 0)
        {
            return NotifyPolicy.DoneOnly;
        }

        if (!_policies.TryGetValue(taskId, out var policy))
        {
            policy = (await manager.GetAsync(taskId, cancellationToken).ConfigureAwait(false))?.Notify ?? NotifyPolicy.DoneOnly;
            _policies.Add(taskId, policy);
        }

        return policy;
    }
}
