namespace Coppice;

/// <summary>A step failed whose failure is kept: in this attempt, or in an earlier one.</summary>
public sealed class StepFailedException : CoppiceException
{
    internal StepFailedException(string step, string error, Exception? inner)
        : base("step_failed", error, inner) => Step = step;

    /// <summary>Gets the name of the step.</summary>
    public string Step { get; }
}
