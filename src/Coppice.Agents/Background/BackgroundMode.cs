namespace Coppice;

/// <summary>When a function runs in the background.</summary>
public enum BackgroundMode
{
    /// <summary>At every call.</summary>
    Always,

    /// <summary>When the model says so, by the argument <c>run_in_background</c>, which is added to the function's schema.</summary>
    ModelDecides,
}
