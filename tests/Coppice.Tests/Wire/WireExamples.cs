using System.Text.Json;

namespace Coppice.Tests.Wire;

/// <summary>Values and the exact JSON that stands for them.</summary>
internal static class WireExamples
{
    internal static readonly TaskSnapshot FullTask = new()
    {
        TaskId = "bg_7",
        OwnerThreadId = "thread-1",
        Type = "crawl",
        Name = "researcher",
        Description = "fetch pages",
        State = TaskState.Completed,
        Result = Element("""{"pages":3}"""),
        CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(1_760_000_000_000),
        CompletedAt = DateTimeOffset.FromUnixTimeMilliseconds(1_760_000_000_950),
        CancelRequestedAt = DateTimeOffset.FromUnixTimeMilliseconds(1_760_000_000_500),
        CancelledBy = "tree:bg_3",
        Notify = NotifyPolicy.EachEvent,
        AgentThreadId = "agent-0199",
        Continues = "bg_5",
        Lineage = new() { TaskId = "bg_3", RunId = "run-1", CallId = "call-9", AgentId = "planner" },
    };

    internal const string FullTaskJson =
        """
        {"task_id":"bg_7","owner_thread_id":"thread-1","task_type":"crawl","name":"researcher","description":"fetch pages","status":"completed","result":{"pages":3},"created_at_ms":1760000000000,"completed_at_ms":1760000000950,"cancel_requested_at_ms":1760000000500,"cancelled_by":"tree:bg_3","notify":"each_event","agent_thread_id":"agent-0199","continues":"bg_5","parent_context":{"task_id":"bg_3","run_id":"run-1","call_id":"call-9","agent_id":"planner"}}
        """;

    internal static readonly TaskWork FullWork = new()
    {
        Kind = "summarise",
        Version = 3,
        Input = Element(WorkInput),
        Recovery = RecoveryPolicy.Resumable,
        Priority = -7,
        Attempt = 4,
        Failures = 2,
        Crashes = 1,
        DueAt = DateTimeOffset.FromUnixTimeMilliseconds(1_760_000_001_000),
        Deadline = DateTimeOffset.FromUnixTimeMilliseconds(1_760_000_002_000),
        IdempotencyKey = "order 17",
        LastError = "no answer",
    };

    internal const string WorkInput = """{"b":1.50,"a":[1e3,null,"\u00e9"]}""";

    internal const string FullWorkJson =
        """
        {"kind":"summarise","version":3,"recovery":"resumable","priority":-7,"attempt":4,"failures":2,"crashes":1,"due_at_ms":1760000001000,"deadline_ms":1760000002000,"idempotency_key":"order 17","last_error":"no answer","input":{"b":1.50,"a":[1e3,null,"\u00e9"]}}
        """;

    internal const string WorkTaskJson =
        """{"task_id":"bg_8","owner_thread_id":"t","task_type":"task","description":"","status":"pending","created_at_ms":0,"work":"""
        + FullWorkJson
        + ""","parent_context":{}}""";

    internal static readonly Dictionary<string, (MailEvent Mail, string Json)> Events = new()
    {
        ["completed"] = (
            new TaskCompleted("bg_7", Element("""{"pages":3}""")),
            """{"kind":"completed","task_id":"bg_7","result":{"pages":3}}"""),
        ["completed with null"] = (
            new TaskCompleted("bg_7", Element("null")),
            """{"kind":"completed","task_id":"bg_7","result":null}"""),
        ["completed without a result"] = (
            new TaskCompleted("bg_7", null),
            """{"kind":"completed","task_id":"bg_7"}"""),
        ["failed"] = (
            new TaskFailed("bg_7", "boom"),
            """{"kind":"failed","task_id":"bg_7","error":"boom"}"""),
        ["cancelled"] = (
            new TaskCancelled("bg_7"),
            """{"kind":"cancelled","task_id":"bg_7"}"""),
        ["custom"] = (
            new CustomTaskEvent("bg_7", "progress", Element("""{"percent":50}""")),
            """{"kind":"custom","task_id":"bg_7","event_type":"progress","payload":{"percent":50}}"""),
        ["agent message"] = (
            AgentMessage.Create("bg_7", "planner", "look at the diff"),
            """{"kind":"custom","task_id":"bg_7","event_type":"agent_message","payload":{"from":"planner","content":"look at the diff"}}"""),
        ["thread message"] = (
            new ThreadMessage("0199", "t1", "planner", "please review"),
            """{"kind":"message","message_id":"0199","from_thread_id":"t1","from_agent_id":"planner","content":"please review"}"""),
        ["thread message to an agent in time"] = (
            new ThreadMessage("0199", "t1", "planner", "please review")
            {
                ToAgentId = "reviewer", ExpiresAt = DateTimeOffset.FromUnixTimeMilliseconds(1760000000000),
            },
            """{"kind":"message","message_id":"0199","from_thread_id":"t1","from_agent_id":"planner","content":"please review","to_agent_id":"reviewer","expires_at_ms":1760000000000}"""),
        ["live input"] = (
            new LiveInput(Element("""[{"role":"user","content":"stop that"}]""")),
            """{"kind":"messages","messages":[{"role":"user","content":"stop that"}]}"""),
    };

    internal static JsonElement Element(string json) => JsonDocument.Parse(json).RootElement.Clone();

    internal static TheoryData<string> EventNames => [.. Events.Keys];
}
