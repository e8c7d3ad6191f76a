using System.Text.Json;

namespace Coppice.Testing.Tests;

/// <summary>Changes what is handed in of one sort, and says that it was done as it was handed in.</summary>
internal sealed class ChangingStore<TMutation>(Func<TMutation, TMutation> change) : StoreInFront
    where TMutation : Mutation
{
    public override ValueTask<CommitResult> CommitAsync(MutationBatch batch, CancellationToken cancellationToken) =>
        batch.Mutations[0] is TMutation ? CommitInsteadAsync(batch, mutation => change((TMutation)mutation)) : base.CommitAsync(batch, cancellationToken);
}

/// <summary>Changes the answers of one sort.</summary>
internal sealed class AnsweringStore<TAnswer>(Func<TAnswer, TAnswer> change) : StoreInFront
    where TAnswer : MutationAnswer
{
    public override ValueTask<CommitResult> CommitAsync(MutationBatch batch, CancellationToken cancellationToken) =>
        CommitAnsweringAsync(batch, answer => answer is TAnswer own ? change(own) : answer);
}

/// <summary>Takes a step from whichever attempt, for the one that has the task.</summary>
internal sealed class LenientStore : StoreInFront
{
    private readonly Dictionary<string, long> _claims = [];

    public override async ValueTask<CommitResult> CommitAsync(MutationBatch batch, CancellationToken cancellationToken)
    {
        if (batch.Mutations[0] is StoreStep)
        {
            return await CommitInsteadAsync(batch, mutation => ((StoreStep)mutation) with { Claim = _claims[((StoreStep)mutation).TaskId] });
        }

        var result = await base.CommitAsync(batch, cancellationToken);
        foreach (var work in result.Answers.OfType<WorkClaimed>().SelectMany(static claimed => claimed.Tasks))
        {
            _claims[work.Task.TaskId] = work.Claim;
        }

        return result;
    }
}

/// <summary>Shows steps otherwise than they are stored.</summary>
internal sealed class StepShowingStore(Func<IReadOnlyList<TaskStep>, IEnumerable<TaskStep>> show) : StoreInFront
{
    public override async ValueTask<IReadOnlyList<TaskStep>> ReadStepsAsync(string taskId, int from, int limit, CancellationToken cancellationToken) =>
        [.. show(await base.ReadStepsAsync(taskId, from, limit, cancellationToken))];

    internal static StepShowingStore Of(Func<JsonElement, JsonElement> change) =>
        new(steps => steps.Select(step => step.Result is { } result ? step with { Result = change(result) } : step));
}

/// <summary>Counts an attempt too many.</summary>
internal sealed class OvercountingStore : StoreInFront
{
    public override void OnChange(TaskChange change) => base.OnChange(
        change.Task.Work is { } work ? change with { Task = change.Task with { Work = work with { Attempt = work.Attempt + 1 } } } : change);
}

/// <summary>Says that mail is acknowledged, and does nothing.</summary>
internal sealed class ForgettingReaderStore : StoreInFront
{
    public override ValueTask<CommitResult> CommitAsync(MutationBatch batch, CancellationToken cancellationToken)
    {
        if (batch.Mutations[0] is not AcknowledgeMail acknowledge)
        {
            return base.CommitAsync(batch, cancellationToken);
        }

        var result = new CommitResult(CommitStatus.Landed, 1_000, [new MailAcknowledged(acknowledge.ThroughSequence)]);
        batch.MarkLanded(result);
        return ValueTask.FromResult(result);
    }
}

/// <summary>Tells nobody of work, or only of what may begin at once, and lets who claims look again too late.</summary>
internal sealed class DullStore(TimeSpan? late) : StoreInFront
{
    public override ValueTask<CommitResult> CommitAsync(MutationBatch batch, CancellationToken cancellationToken) =>
        CommitAnsweringAsync(batch, answer => answer is WorkClaimed { NextLook: { } next } claimed && late is { } time ? claimed with { NextLook = next + time } : answer);

    public override void OnWork(string kind, DateTimeOffset? at)
    {
        if (late is not null && at is null)
        {
            base.OnWork(kind, at);
        }
    }
}
