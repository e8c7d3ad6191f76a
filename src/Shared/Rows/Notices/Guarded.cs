namespace Coppice.Rows;

/// <summary>Calls code that promises not to throw. If it breaks its promise, the store's writer must not stop for everybody else.</summary>
internal static class Guarded
{
    public static void Call<TFirst, TSecond>(Action<TFirst, TSecond> call, TFirst first, TSecond second)
    {
        try
        {
            call(first, second);
        }
#pragma warning disable CA1031 // whatever it throws, the commit has landed and the next one has to go on
        catch (Exception e)
#pragma warning restore CA1031
        {
            System.Diagnostics.Debug.Fail("A listener of the store threw.", e.ToString());
        }
    }
}
