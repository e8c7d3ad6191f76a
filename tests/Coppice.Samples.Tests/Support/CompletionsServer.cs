using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Coppice.Samples.Tests.Support;

/// <summary>What the server answers: a body, or, where it is to stream, its events.</summary>
internal sealed record Reply(string Body)
{
    internal int Status { get; init; } = 200;

    internal string ContentType { get; init; } = "application/json";

    /// <summary>Gets whether it answers only once the client has gone, or the server is disposed.</summary>
    internal bool Never { get; init; }

    internal static Reply Events(params string[] data) => new(string.Concat(data.Select(each => $"data: {each}\n\n")))
    {
        ContentType = "text/event-stream",
    };
}

/// <summary>A small HTTP server on this machine that speaks the chat-completions protocol, and keeps what it was asked.</summary>
internal sealed class CompletionsServer : IAsyncDisposable
{
    private readonly HttpListener _listener = new();
    private readonly Func<JsonElement, Reply> _answer;
    private readonly TaskCompletionSource _closing = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _serving;

    private CompletionsServer(Func<JsonElement, Reply> answer, int port)
    {
        _answer = answer;
        BaseUrl = new Uri($"http://127.0.0.1:{port.ToString(CultureInfo.InvariantCulture)}/v1");
        _listener.Prefixes.Add($"{BaseUrl}/");
        _listener.Start();
        _serving = ServeAsync();
    }

    internal Uri BaseUrl { get; }

    /// <summary>Gets the requests, in their order.</summary>
    internal List<JsonElement> Requests { get; } = [];

    internal List<string?> Keys { get; } = [];

    /// <summary>Gets a task that ends with the first request.</summary>
    internal Task Asked => _asked.Task;

    internal static CompletionsServer Start(Func<JsonElement, Reply> answer)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return new CompletionsServer(answer, FreePort());
            }
            catch (HttpListenerException) when (attempt < 10)
            {
                // Somebody took the port in between.
            }
        }
    }

    /// <summary>A server that gives these answers, the last one again and again.</summary>
    internal static CompletionsServer Start(params Reply[] replies)
    {
        var asked = 0;
        return Start(_ => replies[Math.Min(asked++, replies.Length - 1)]);
    }

    public async ValueTask DisposeAsync()
    {
        _closing.SetResult();
        _listener.Stop();
        await _serving;
        _listener.Close();
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    private async Task ServeAsync()
    {
        var answers = new List<Task>();
        while (true)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or InvalidOperationException)
            {
                break;
            }

            answers.Add(AnswerAsync(context));
        }

        await Task.WhenAll(answers);
    }

    private async Task AnswerAsync(HttpListenerContext context)
    {
        try
        {
            using var document = await JsonDocument.ParseAsync(context.Request.InputStream);
            var request = document.RootElement.Clone();
            Reply reply;
            lock (Requests)
            {
                Requests.Add(request);
                Keys.Add(context.Request.Headers["Authorization"]);
                reply = context.Request.Url!.AbsolutePath == "/v1/chat/completions" ? _answer(request) : new Reply("{}") { Status = 404 };
            }

            _asked.TrySetResult();
            if (reply.Never)
            {
                await _closing.Task;
            }

            context.Response.StatusCode = reply.Status;
            context.Response.ContentType = reply.ContentType;
            context.Response.Headers["retry-after-ms"] = "1";
            await WriteAsync(context.Response.OutputStream, reply);
            context.Response.Close();
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or IOException)
        {
            // The client has gone.
        }
    }

    /// <summary>Event by event, as a model that is thinking would.</summary>
    private static async Task WriteAsync(Stream output, Reply reply)
    {
        foreach (var part in reply.Body.Split("\n\n"))
        {
            var end = reply.Body.EndsWith(part, StringComparison.Ordinal) && !reply.ContentType.EndsWith("event-stream", StringComparison.Ordinal) ? "" : "\n\n";
            await output.WriteAsync(Encoding.UTF8.GetBytes(part + end));
            await output.FlushAsync();
        }
    }
}
