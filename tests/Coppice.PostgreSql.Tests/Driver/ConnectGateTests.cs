using System.Net.Sockets;
using Npgsql;

namespace Coppice.PostgreSql.Tests.Driver;

public sealed class ConnectGateTests
{
    private static readonly SocketException Refused = new((int)SocketError.ConnectionRefused);

    private readonly SteadyClock _clock = new();
    private readonly ConnectGate _gate;

    public ConnectGateTests() => _gate = new ConnectGate(_clock);

    [Fact]
    public void Nobody_tries_for_a_while_after_one_has_failed()
    {
        _gate.Failed(_gate.Enter(), Refused);

        var told = Assert.Throws<NpgsqlException>(() => _gate.Enter());
        Assert.IsType<NpgsqlException>(told.InnerException);
        Assert.Contains(Refused.Message, told.Message, StringComparison.Ordinal);
        _clock.Advance(Backoff.Least);
        _gate.Enter();
    }

    [Fact]
    public void One_at_a_time_tries_while_the_database_is_away()
    {
        _gate.Failed(_gate.Enter(), Refused);
        _clock.Advance(Backoff.Least);

        _gate.Enter();

        Assert.Throws<NpgsqlException>(() => _gate.Enter());
    }

    [Fact]
    public void All_may_connect_again_once_one_has()
    {
        _gate.Failed(_gate.Enter(), Refused);
        _clock.Advance(Backoff.Least);
        _gate.Enter();

        _gate.Opened();

        for (var i = 0; i < 100; i++)
        {
            _gate.Enter();
        }
    }

    [Fact]
    public void Many_that_fail_together_count_as_one()
    {
        var turns = Enumerable.Range(0, 100).Select(_ => _gate.Enter()).ToList();

        turns.ForEach(turn => _gate.Failed(turn, Refused));

        _clock.Advance(Backoff.Least);
        _gate.Enter();
    }

    [Fact]
    public void The_pause_grows_to_five_seconds_and_no_further()
    {
        for (var i = 0; i < 30; i++)
        {
            _gate.Failed(_gate.Enter(), Refused);
            _clock.Advance(Backoff.Most);
        }

        _gate.Failed(_gate.Enter(), Refused);
        _clock.Advance((Backoff.Most / 2) - TimeSpan.FromMilliseconds(1));
        Assert.Throws<NpgsqlException>(() => _gate.Enter());
        _clock.Advance((Backoff.Most / 2) + TimeSpan.FromMilliseconds(1));
        _gate.Enter();
    }

    [Fact]
    public void One_who_gives_up_lets_another_try()
    {
        _gate.Failed(_gate.Enter(), Refused);
        _clock.Advance(Backoff.Least);

        _gate.GivenUp(_gate.Enter());

        _gate.Enter();
    }

    [Theory]
    [InlineData(PostgresErrorCodes.InvalidPassword, true)]
    [InlineData(PostgresErrorCodes.TooManyConnections, true)]
    [InlineData(PostgresErrorCodes.CannotConnectNow, false)]
    [InlineData(PostgresErrorCodes.AdminShutdown, false)]
    public void A_server_that_answers_is_no_server_that_is_away(string code, bool answers)
    {
        _gate.Failed(_gate.Enter(), new PostgresException("no", "FATAL", "FATAL", code));

        var again = Record.Exception(() => _gate.Enter());

        Assert.Equal(answers, again is null);
    }

    [Fact]
    public void What_the_system_throws_is_told_as_the_driver_would()
    {
        var told = _gate.Failed(_gate.Enter(), Refused);

        Assert.Same(Refused, told.InnerException);
        var fault = StoreFaults.From(told, "db:5432/d");
        Assert.True(fault.IsTransient);
        Assert.Equal("store_unavailable", fault.Code);
    }

    private sealed class SteadyClock : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now;

        public void Advance(TimeSpan time) => _now += time.Ticks;
    }
}
