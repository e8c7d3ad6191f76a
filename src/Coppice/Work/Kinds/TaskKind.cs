using Microsoft.Extensions.DependencyInjection;

namespace Coppice;

/// <summary>A kind of task whose input is stored, so that any host which knows the kind can run it, also after a restart.</summary>
/// <remarks>Made as a <see cref="TaskKind{TInput, TResult}"/>. Immutable, so safe to share.</remarks>
public abstract class TaskKind
{
    private const int MaxNameLength = 128;

    private readonly string _description = "";
    private readonly string? _type;
    private readonly int _version = 1;
    private readonly TimeSpan? _attemptTimeout;
    private readonly TimeSpan? _timeout;
    private readonly int? _maxConcurrency;
    private readonly int? _maxConcurrencyPerThread;
    private readonly int _maxCrashes = 3;

    private protected TaskKind(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        if (name.Length > MaxNameLength || name.Any(char.IsControl) || name.Trim().Length != name.Length)
        {
            throw new ArgumentException(
                $"The name of a kind has 1 to {MaxNameLength} characters, no control characters and no outer white space.", nameof(name));
        }

        Name = name;
    }

    /// <summary>
    /// Gets the name, by which tasks are stored. It has to stay the same for as long as tasks of the kind are stored; a new name is a new kind. 1 to
    /// 128 characters.
    /// </summary>
    public string Name { get; }

    /// <summary>Gets what tasks of the kind do, in words for a model. Empty by default.</summary>
    public string Description
    {
        get => _description;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            _description = value;
        }
    }

    /// <summary>Gets the <see cref="TaskSnapshot.Type"/> of its tasks where the spawn says none; the name of the kind by default.</summary>
    public string Type
    {
        get => _type ?? (HasInbox ? TaskTypes.SubAgent : Name);
        init
        {
            ArgumentException.ThrowIfNullOrEmpty(value);
            _type = value;
        }
    }

    /// <summary>
    /// Gets the version of the input, from 1; 1 by default. A host leaves tasks alone whose version is newer than its own; to read older ones is
    /// up to the input's contract, which sees fields it does not know skipped and fields it misses left out.
    /// </summary>
    public int Version
    {
        get => _version;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            _version = value;
        }
    }

    /// <summary>Gets what becomes of a task whose attempt ended with its process: an orphan by default. A spawn may say otherwise.</summary>
    public RecoveryPolicy Recovery { get; init; }

    /// <summary>Gets when a failed attempt is followed by another; never by default.</summary>
    public RetryPolicy Retry { get; init; } = RetryPolicy.None;

    /// <summary>Gets how long an attempt may take before it has failed; <see langword="null"/>, for ever, by default. From 1 millisecond to 49 days.</summary>
    public TimeSpan? AttemptTimeout
    {
        get => _attemptTimeout;
        init => _attemptTimeout = Checked(value, nameof(AttemptTimeout), BackgroundTaskOptionsValidator.LongestTimer);
    }

    /// <summary>Gets how long after its spawn a task fails if it has not ended; <see langword="null"/>, never, by default. From 1 millisecond to 10 years. A spawn may say otherwise.</summary>
    public TimeSpan? Timeout
    {
        get => _timeout;
        init => _timeout = Checked(value, nameof(Timeout), SpawnOptions.LongestWait);
    }

    /// <summary>Gets how many of its tasks run at once, on all hosts together; <see langword="null"/>, any number, by default. From 1.</summary>
    public int? MaxConcurrency
    {
        get => _maxConcurrency;
        init => _maxConcurrency = Checked(value, nameof(MaxConcurrency));
    }

    /// <summary>Gets how many of its tasks run at once for one thread, on all hosts together; <see langword="null"/>, any number, by default. From 1.</summary>
    public int? MaxConcurrencyPerThread
    {
        get => _maxConcurrencyPerThread;
        init => _maxConcurrencyPerThread = Checked(value, nameof(MaxConcurrencyPerThread));
    }

    /// <summary>Gets how many attempts at one task may end with their process before it fails. From 1; 3 by default.</summary>
    public int MaxCrashes
    {
        get => _maxCrashes;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            _maxCrashes = value;
        }
    }

    /// <summary>
    /// Gets how many processes may end under tasks of the kind, and within what time, before no more of them are begun until it is fewer. By default 5
    /// in 10 minutes.
    /// </summary>
    public RestartIntensity RestartIntensity { get; init; } = new(5, TimeSpan.FromMinutes(10));

    /// <summary>Gets whether its tasks are agents, with a thread and an inbox of their own: <see cref="DurableTaskContext.Agent"/>.</summary>
    public bool HasInbox { get; init; }

    /// <summary>Gets whether its body blocks its thread: it then gets one of its own, until its first await.</summary>
    public bool Blocking { get; init; }

    /// <summary>Registers the kind with a class that runs it.</summary>
    /// <param name="scopes">Where each attempt gets its scope from.</param>
    /// <param name="create">Makes an instance out of the attempt's services.</param>
    internal abstract RegisteredKind Register(IServiceScopeFactory scopes, Func<IServiceProvider, IBackgroundTask> create);

    internal KindClaim ToClaim() => new(Name)
    {
        MaxVersion = Version,
        MaxRunning = MaxConcurrency ?? int.MaxValue,
        MaxRunningPerThread = MaxConcurrencyPerThread ?? int.MaxValue,
        MaxCrashes = RestartIntensity.MaxCrashes,
        CrashWindow = RestartIntensity.Within,
    };

    private static int? Checked(int? value, string name)
    {
        if (value is { } number)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(number, 1, name);
        }

        return value;
    }

    private static TimeSpan? Checked(TimeSpan? value, string name, TimeSpan longest) =>
        value is null || (value >= TimeSpan.FromMilliseconds(1) && value <= longest)
            ? value
            : throw new ArgumentOutOfRangeException(name, value, $"{name} has to be from 1 millisecond to {longest.TotalDays:0} days.");
}
