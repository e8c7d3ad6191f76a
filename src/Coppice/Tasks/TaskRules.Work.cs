using System.Text.Json;

namespace Coppice;

/// <content>The work of tasks of registered kinds.</content>
internal sealed partial class TaskRules
{
    /// <exception cref="ArgumentException">An option is set that only tasks of registered kinds have.</exception>
    internal static void CheckIsPlain(SpawnOptions options)
    {
        if (options is not { Recovery: null, Delay: null, StartAt: null, Timeout: null, Priority: 0, IdempotencyKey: null })
        {
            throw new ArgumentException(
                "Recovery, Delay, StartAt, Timeout, Priority and IdempotencyKey are for tasks of registered kinds: spawn one with its TaskKind, or leave them out.",
                nameof(options));
        }
    }

    /// <summary>The work of a new task as it can be kept.</summary>
    /// <exception cref="ArgumentException">Something in it is missing, contradictory or over its limit.</exception>
    internal NewWork CheckWork(TaskKind kind, JsonElement input, SpawnOptions options)
    {
        CheckId(kind.Name, nameof(kind));
        if (options.Blocking)
        {
            throw new ArgumentException("Whether a task of a registered kind blocks is said by its kind.", "options.Blocking");
        }

        if (options is { Delay: not null, StartAt: not null })
        {
            throw new ArgumentException("A task begins after a delay or at a time: leave Delay or StartAt out.", "options.Delay");
        }

        var recovery = options.Recovery ?? kind.Recovery;
        if (!Enum.IsDefined(recovery))
        {
            throw new ArgumentException($"There is no recovery policy {(int)recovery}.", "options.Recovery");
        }

        var now = Now;
        return new NewWork
        {
            Kind = kind.Name,
            Version = kind.Version,
            Input = CheckValue(input, "input", MaxInput, nameof(input)),
            Recovery = recovery,
            MaxCrashes = kind.MaxCrashes,
            Priority = options.Priority,
            DueAt = options.Delay is { } delay ? now + CheckWait(delay, TimeSpan.Zero, "Delay") : options.StartAt,
            Deadline = options.Timeout is { } timeout ? now + CheckWait(timeout, TimeSpan.FromMilliseconds(1), "Timeout") : now + kind.Timeout,
            IdempotencyKey = CheckOptionalId(options.IdempotencyKey, "options.IdempotencyKey"),
        };
    }

    /// <summary>What a step gives, or a checkpoint, as it can be kept.</summary>
    /// <exception cref="UnstorableValueException">It cannot be.</exception>
    internal JsonElement CheckStepValue(JsonElement value, string what, string parameter)
    {
        try
        {
            var kept = JsonValue.ToStorable(value, out var bytes);
            return bytes <= options.MaxStepBytes
                ? kept
                : throw new UnstorableValueException(OverLimit(what, bytes, options.MaxStepBytes, nameof(options.MaxStepBytes)), parameter);
        }
        catch (JsonException e)
        {
            throw new UnstorableValueException($"The {what} cannot be stored. {e.Message}", parameter, e);
        }
    }

    private (int Bytes, string Option) MaxInput => (options.MaxInputBytes, nameof(options.MaxInputBytes));

    private DateTimeOffset Now => options.TimeProvider.GetUtcNow();

    private static TimeSpan CheckWait(TimeSpan wait, TimeSpan shortest, string option) =>
        wait >= shortest && wait <= SpawnOptions.LongestWait
            ? wait
            : throw new ArgumentOutOfRangeException(
                "options." + option, wait, $"{option} has to be from {shortest} to {SpawnOptions.LongestWait.TotalDays:0} days.");

    private static JsonElement CheckValue(JsonElement value, string what, (int Bytes, string Option) limit, string parameter)
    {
        try
        {
            var kept = JsonValue.ToStorable(value, out var bytes);
            return bytes <= limit.Bytes ? kept : throw new ArgumentException(OverLimit(what, bytes, limit.Bytes, limit.Option), parameter);
        }
        catch (JsonException e)
        {
            throw new ArgumentException($"The {what} cannot be stored. {e.Message}", parameter, e);
        }
    }

    private TaskWork CheckRestored(TaskWork work)
    {
        CheckId(work.Kind, nameof(work.Kind));
        if (!Enum.IsDefined(work.Recovery) || work.Version < 1 || work.Attempt < 0 || work.Failures < 0 || work.Crashes < 0)
        {
            throw new ArgumentException("Its work has a number that is out of its range.", nameof(work));
        }

        return work with
        {
            Input = CheckValue(work.Input, "input", MaxInput, nameof(work.Input)),
            DueAt = null,
            Deadline = work.Deadline is { } deadline ? ToMilliseconds(deadline) : null,
            IdempotencyKey = CheckOptionalId(work.IdempotencyKey, nameof(work.IdempotencyKey)),
            LastError = work.LastError is null ? null : CutError(work.LastError),
        };
    }
}
