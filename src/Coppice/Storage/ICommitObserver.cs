namespace Coppice;

/// <summary>Hears that a batch has landed; see <see cref="MutationBatch"/>.</summary>
internal interface ICommitObserver
{
    void OnLanded(CommitResult result, HostFence fence);
}
