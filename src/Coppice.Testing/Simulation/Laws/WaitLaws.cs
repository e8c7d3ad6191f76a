namespace Coppice.Testing;

internal sealed class SleepsLast : Law
{
    private static readonly TimeSpan Lateness = TimeSpan.FromSeconds(10);

    internal override string Title => "Work: a sleep ends when its time has come, and after a restart what is left of it";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        var wakes = new Dictionary<(string TaskId, string Name), TimeSpan>();
        var began = new Dictionary<(string TaskId, string Name, long Claim), SleepBegan>();
        var troubles = new Dictionary<SimulatedProcess, int>();
        var ledger = new StepLedger();
        foreach (var entry in evidence.Entries)
        {
            ledger.Apply(entry);
            switch (entry)
            {
                case FaultMet or HostPaused or HostResumed:
                    troubles[entry.Process!] = entry.Number;
                    break;
                case SleepBegan sleep:
                    began[(sleep.TaskId, sleep.Name, sleep.Claim)] = sleep;
                    break;
                case SleepEnded ended when began.TryGetValue((ended.TaskId, ended.Name, ended.Claim), out var sleep):
                    // The first attempt that stored it says until when; where nothing is stored, each attempt says so itself.
                    var isStored = ledger.Find(ended.TaskId, ended.Name, "") is not null;
                    var wake = sleep.At + sleep.Duration;
                    if (isStored && !wakes.TryAdd((ended.TaskId, ended.Name), wake))
                    {
                        wake = wakes[(ended.TaskId, ended.Name)];
                    }

                    if (isStored)
                    {
                        wake = TimeSpan.FromMilliseconds(ledger.Find(ended.TaskId, ended.Name, "")!.Value.Store.Step.Result!.Value.GetInt64()
                            - Evidence.TimeZero.ToUnixTimeMilliseconds());
                    }

                    if (ended.At < wake - TimeSpan.FromMilliseconds(1))
                    {
                        yield return $"attempt {ended.Claim} at {ended.TaskId} slept '{ended.Name}' until {ended.At.TotalSeconds:0.000} s, and it lasts until {wake.TotalSeconds:0.000} s";
                    }

                    var due = wake > sleep.At ? wake : sleep.At;
                    if (ended.At > due + Lateness && troubles.GetValueOrDefault(ended.Host, -1) < sleep.Number)
                    {
                        yield return $"attempt {ended.Claim} at {ended.TaskId} slept '{ended.Name}' until {ended.At.TotalSeconds:0.000} s, and it was over at {due.TotalSeconds:0.000} s";
                    }

                    break;
            }
        }
    }
}

internal sealed class JoinsAnswerTheSame : Law
{
    internal override string Title => "Work: a join that was answered is answered the same in later attempts";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        var answers = new Dictionary<(string TaskId, string Name), JoinGiven>();
        var left = default(HashSet<string>);
        foreach (var entry in evidence.Entries)
        {
            if (entry is TasksForgotten forgotten)
            {
                left = forgotten.Left;
            }

            if (entry is not JoinGiven given || evidence.Of(given.TaskId).Work is not { Recovery: RecoveryPolicy.Resumable })
            {
                continue;
            }

            if (!answers.TryGetValue((given.TaskId, given.Name), out var first))
            {
                answers.Add((given.TaskId, given.Name), given);
                continue;
            }

            // What was forgotten since is left out.
            var due = first.Ended.Where(id => given.Ended.Contains(id) || left is null || left.Contains(id));
            if (given.IsMet != first.IsMet || !due.SequenceEqual(given.Ended))
            {
                yield return $"join '{given.Name}' of {given.TaskId} was {first.IsMet} with {string.Join(", ", first.Ended)} in attempt {first.Claim}, and "
                    + $"{given.IsMet} with {string.Join(", ", given.Ended)} in attempt {given.Claim}";
            }
        }
    }
}

internal sealed class AgentsReadOn : Law
{
    internal override string Title => "Work: an agent's next attempt reads on after the last mail that was acknowledged";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        var acknowledged = new Dictionary<string, long>(StringComparer.Ordinal);
        var begun = new Dictionary<Guid, long>();
        foreach (var entry in evidence.Entries)
        {
            switch (entry)
            {
                case BatchApplied applied:
                    foreach (var (acknowledge, answer) in applied.Landed<AcknowledgeMail, MailAcknowledged>())
                    {
                        acknowledged[acknowledge.ThreadId] = answer.ThroughSequence;
                    }

                    foreach (var (append, _) in applied.Landed<AppendConversation, ConversationAppended>())
                    {
                        acknowledged[append.ThreadId] = Math.Max(acknowledged.GetValueOrDefault(append.ThreadId), append.AcknowledgeThrough);
                    }

                    break;
                case MailRead { IsAudit: false, Host: not null } read when evidence.Agents.Contains(read.ThreadId):
                    foreach (var item in read.Items)
                    {
                        var after = begun.TryGetValue(read.Reader, out var last) ? last : acknowledged.GetValueOrDefault(read.ThreadId);
                        if (item.Sequence <= after && !begun.ContainsKey(read.Reader))
                        {
                            yield return $"mail {item.Sequence} of {read.ThreadId} was acknowledged and read again by the next attempt";
                        }
                        else if (Skipped(evidence, read.ThreadId, after, item.Sequence) is { } skipped)
                        {
                            yield return $"mail {skipped} of {read.ThreadId} was not acknowledged, and the next attempt read {item.Sequence} first";
                        }

                        begun[read.Reader] = Math.Max(item.Sequence, after);
                    }

                    break;
            }
        }
    }

    private static long? Skipped(Evidence evidence, string threadId, long after, long sequence)
    {
        for (var between = after + 1; between < sequence; between++)
        {
            if (evidence.Mail.Threads[threadId].TryGetValue(between, out var mail) && !evidence.HasFailed(threadId, mail))
            {
                return between;
            }
        }

        return null;
    }
}
