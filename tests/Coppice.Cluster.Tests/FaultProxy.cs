using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Coppice.Cluster.Tests;

/// <summary>The network between a host and the database, which can be cut, silent or slow.</summary>
internal sealed class FaultProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<Socket, byte> _sockets = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;
    private volatile TaskCompletionSource _open = Opened();
    private volatile int _delay;
    private volatile bool _isCut;
    private int _attempts;

    internal FaultProxy(int port)
    {
        ServerPort = port;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    internal int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Gets or sets where the server is.</summary>
    internal int ServerPort { get; set; }

    /// <summary>Gets how many connections were begun.</summary>
    internal int Attempts => Volatile.Read(ref _attempts);

    /// <summary>Ends all connections, and each new one at once, until <see cref="Restore"/>.</summary>
    internal void Cut()
    {
        _isCut = true;
        foreach (var socket in _sockets.Keys)
        {
            Abort(socket);
        }
    }

    /// <summary>Lets no byte through and no end either, as where a cable is pulled, until <see cref="Restore"/>.</summary>
    internal void Silence()
    {
        if (_open.Task.IsCompleted)
        {
            _open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>Takes so many milliseconds for each piece that goes through.</summary>
    internal void Slow(int milliseconds) => _delay = milliseconds;

    /// <summary>Is as a network should be. What was on its way arrives now.</summary>
    internal void Restore()
    {
        _isCut = false;
        _delay = 0;
        _open.TrySetResult();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        Cut();
        _open.TrySetResult();
        await _accepting;
        _stop.Dispose();
        _listener.Dispose();
    }

    private static TaskCompletionSource Opened()
    {
        var open = new TaskCompletionSource();
        open.SetResult();
        return open;
    }

    private static void Abort(Socket socket)
    {
        try
        {
            // What is sent is a reset, and not a polite end.
            socket.LingerState = new LingerOption(enable: true, 0);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It has ended by itself.
        }

        socket.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            Socket client;
            try
            {
                client = await _listener.AcceptSocketAsync(_stop.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }

            Interlocked.Increment(ref _attempts);
            _ = CarryAsync(client);
        }
    }

    private async Task CarryAsync(Socket client)
    {
        var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            _sockets[client] = _sockets[server] = 0;
            if (!_isCut)
            {
                client.NoDelay = server.NoDelay = true;
                await _open.Task;
                await server.ConnectAsync(IPAddress.Loopback, ServerPort, _stop.Token);
                await Task.WhenAny(PumpAsync(client, server), PumpAsync(server, client));
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // There is no server: the client hears that its connection has ended.
        }
        finally
        {
            _sockets.TryRemove(client, out _);
            _sockets.TryRemove(server, out _);
            Abort(client);
            Abort(server);
        }
    }

    private async Task PumpAsync(Socket from, Socket to)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer, _stop.Token) is > 0 and var count)
            {
                await _open.Task;
                if (_delay is > 0 and var delay)
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(delay), TimeProvider.System, _stop.Token);
                }

                for (var sent = 0; sent < count;)
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, count - sent), _stop.Token);
                }
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // One side is gone, and with it the other.
        }
    }
}
