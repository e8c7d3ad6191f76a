using System.Runtime.CompilerServices;

namespace Coppice.Testing;

/// <summary>
/// Keeps a cancelled <c>Task.Delay(time, clock, token)</c> inside the simulation. The framework completes it so that what awaits it runs on
/// the thread pool; nothing public can change that, and bodies are full of such delays. So the delay's own registration on the token
/// is replaced by one that makes a step of it. On a runtime that looks otherwise inside, it is left alone, and such a cancel is
/// reported as what leaves the simulation.
/// </summary>
internal static class CancellableDelay
{
    private const string PromiseType = "System.Threading.Tasks.Task+DelayPromiseWithCancellation, System.Private.CoreLib";

    private static readonly Type? Promise = Type.GetType(PromiseType);

    /// <summary>Whether a timer's state is such a delay.</summary>
    internal static bool Is(object? state) => Promise is not null && Promise.IsInstanceOfType(state);

    /// <summary>Takes the cancelling over. To be called once the delay is made.</summary>
    internal static void TakeOver(object promise, SimulatedTimer timer)
    {
        try
        {
            var registration = Registration(promise);
            if (((Task)promise).IsCompleted || !registration.Unregister())
            {
                return;
            }

            var token = registration.Token;
            timer.Attach(token.UnsafeRegister(_ => timer.PostCancel(() => TrySetCanceled((Task)promise, token)), null));
        }
        catch (Exception e) when (e is MissingMemberException or TypeLoadException)
        {
            // Another runtime.
        }
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_registration")]
    private static extern ref CancellationTokenRegistration Registration([UnsafeAccessorType(PromiseType)] object promise);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "TrySetCanceled")]
    private static extern bool TrySetCanceled(Task task, CancellationToken token);
}
