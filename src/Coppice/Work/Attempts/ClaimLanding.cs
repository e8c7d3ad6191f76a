namespace Coppice;

/// <summary>What one claim brings. Its tasks begin when it is answered; when the answer is lost, once it is known that it landed.</summary>
internal sealed class ClaimLanding(WorkClaimer claimer, TaskIntake intake, Guid agentReader) : ICommitObserver
{
    private readonly Lock _lock = new();
    private List<LiveTask> _landed = [];
    private bool _isGivenUp;

    public void OnLanded(CommitResult result, HostFence fence)
    {
        var tasks = claimer.Take((WorkClaimed)result.Answer!, fence, agentReader);
        lock (_lock)
        {
            if (!_isGivenUp)
            {
                _landed = tasks;
                return;
            }
        }

        StartLater(tasks);
    }

    internal void Start(bool mayHaveMissedNews)
    {
        if (mayHaveMissedNews)
        {
            StartLater(_landed);
            return;
        }

        foreach (var task in _landed)
        {
            task.Start();
        }
    }

    internal void GiveUp()
    {
        lock (_lock)
        {
            _isGivenUp = true;
        }

        StartLater(_landed);
    }

    private void StartLater(List<LiveTask> tasks)
    {
        foreach (var task in tasks)
        {
            intake.StartLater(task);
        }
    }
}
