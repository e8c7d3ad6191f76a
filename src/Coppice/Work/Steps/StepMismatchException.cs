namespace Coppice;

/// <summary>The code of a task asks for other steps, or in another order, than the attempt whose steps are stored. To try again would not help.</summary>
public sealed class StepMismatchException : CoppiceException
{
    internal StepMismatchException(string step, string message)
        : base("step_mismatch", message) => Step = step;

    /// <summary>Gets the name of the step that was asked for.</summary>
    public string Step { get; }
}
