namespace Coppice;

/// <summary>How a function runs in the background. Copied when the function is wrapped.</summary>
public sealed class BackgroundFunctionOptions
{
    /// <summary>Gets or sets when it does. <see cref="BackgroundMode.Always"/> by default.</summary>
    public BackgroundMode Mode { get; set; } = BackgroundMode.Always;

    /// <summary>
    /// Gets or sets what counts where the mode is <see cref="BackgroundMode.ModelDecides"/> and the model leaves it out. True by default.
    /// </summary>
    public bool RunInBackgroundByDefault { get; set; } = true;

    /// <summary>Gets or sets the type of the tasks; 1 to 256 bytes. The function's name by default.</summary>
    public string? Type { get; set; }

    /// <summary>
    /// Gets or sets whether the model may name the task, by the argument <c>task_name</c>, which is added to the function's schema. False
    /// by default.
    /// </summary>
    public bool AllowTaskName { get; set; }

    /// <summary>Gets or sets what the model is told of the task. <see cref="NotifyPolicy.DoneOnly"/> by default.</summary>
    public NotifyPolicy Notify { get; set; } = NotifyPolicy.DoneOnly;

    /// <summary>Gets or sets whether the function blocks its thread: it then gets one of its own, until its first await. False by default.</summary>
    public bool Blocking { get; set; }

    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    internal BackgroundFunctionOptions CloneChecked()
    {
        if (!Enum.IsDefined(Mode))
        {
            throw new ArgumentException($"BackgroundFunctionOptions.Mode ({Mode}) must be Always or ModelDecides.");
        }

        if (!Enum.IsDefined(Notify))
        {
            throw new ArgumentException($"BackgroundFunctionOptions.Notify ({Notify}) must be DoneOnly, EachEvent or Silent.");
        }

        if (Type is { Length: 0 })
        {
            throw new ArgumentException("BackgroundFunctionOptions.Type is empty; leave it out for the function's name.");
        }

        return (BackgroundFunctionOptions)MemberwiseClone();
    }
}
