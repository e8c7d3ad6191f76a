namespace Coppice;

/// <summary>What an exception says.</summary>
internal static class ExceptionText
{
    /// <summary>The message. An exception is other people's code, whose message may itself fail or be missing: then the name of its type.</summary>
    internal static string Of(Exception exception)
    {
        try
        {
            return string.IsNullOrEmpty(exception.Message) ? exception.GetType().Name : exception.Message;
        }
        catch (Exception)
        {
            return exception.GetType().Name;
        }
    }
}
