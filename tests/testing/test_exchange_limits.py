"""What the simulated exchange does not put up with, by a clock that the test moves."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from rxws.errors import ConfigError
from rxws.testing._limits import RollingWindow
from rxws.testing._ticker import Ticker
from rxws.testing.exchange import Limits, ManualClock, SimulatedExchange

LIST = json.dumps({"method": "LIST_SUBSCRIPTIONS", "id": 1})


def simulate(clock: ManualClock, **limits: Any) -> SimulatedExchange:
    """An exchange in which nothing happens by itself, and that has these limits only."""
    return SimulatedExchange(rate=None, clock=clock, limits=Limits(**limits))


async def status_of(exchange: SimulatedExchange) -> tuple[int, str | None]:
    """Return with which status and Retry-After a handshake is refused."""
    with pytest.raises(InvalidStatus) as refused:
        await connect(exchange.url + "/ws")
    response = refused.value.response
    return response.status_code, response.headers.get("Retry-After")


async def deaf_client(
    exchange: SimulatedExchange,
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a connection that answers no ping, and reads no more than it must."""
    reader, writer = await asyncio.open_connection("127.0.0.1", exchange.port, limit=1)
    raw: socket.socket = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    writer.write(
        b"GET /ws/nknusdt@bookTicker HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    await exchange.until(lambda: exchange.live)
    return reader, writer


async def closed(client: ClientConnection) -> tuple[int | None, str | None]:
    """Return with what the server closes."""
    await client.wait_closed()
    return client.close_code, client.close_reason


def test_a_rolling_window_is_strict() -> None:
    """Any window of a second holds five; the sixth waits for the first to be a second old."""
    window = RollingWindow(5, 1.0)

    admitted = [window.admit(now) for now in (0.0, 0.2, 0.4, 0.6, 0.8, 0.999, 1.0, 1.1, 1.2, 1.3)]

    assert admitted == [True] * 5 + [False, True, False, True, False]


def test_a_window_without_a_limit_admits_all() -> None:
    """None is no limit."""
    window = RollingWindow(None, 1.0)

    assert all(window.admit(0.0) for _ in range(100))


async def test_ping_pong_and_json_count_together_and_the_sixth_is_too_many() -> None:
    """Five in a second are answered; one more closes with 1008, whatever it is."""
    clock = ManualClock()
    async with asyncio.timeout(10), simulate(clock) as exchange:
        async with connect(exchange.url + "/ws", ping_interval=None) as client:
            for _ in range(2):
                await (await client.ping())
            await client.pong(b"unsolicited")
            await client.send("no json")
            await client.send(LIST)
            assert [await client.recv(), await client.recv()] != []
            assert exchange.received == {
                "PING": 2,
                "PONG": 1,
                "INVALID": 1,
                "LIST_SUBSCRIPTIONS": 1,
            }
            await client.send(LIST)
            assert await closed(client) == (1008, "Too many requests")
        assert exchange.received["EXCESS"] == 1


async def test_a_close_is_no_message() -> None:
    """Whoever has used up the limit may still hang up."""
    clock = ManualClock()
    async with asyncio.timeout(10), simulate(clock, messages=1) as exchange:
        async with connect(exchange.url + "/ws", ping_interval=None) as client:
            await client.send(LIST)
            await client.recv()
        assert client.close_code == 1000
        async with connect(exchange.url + "/ws"):
            assert exchange.received == {"LIST_SUBSCRIPTIONS": 1, "CLOSE": 1}


async def test_after_a_second_five_more_are_allowed() -> None:
    """The window rolls."""
    clock = ManualClock()
    async with asyncio.timeout(10), simulate(clock) as exchange:
        async with connect(exchange.url + "/ws", ping_interval=None) as client:
            for _ in range(3):
                for _ in range(5):
                    await client.send(LIST)
                    await client.recv()
                clock.advance(1.0)
        assert exchange.received["LIST_SUBSCRIPTIONS"] == 15


async def test_too_many_messages_are_followed_by_a_ban() -> None:
    """Handshakes are refused with the seconds that are left, and accepted afterwards."""
    clock = ManualClock()
    async with asyncio.timeout(10), simulate(clock, messages=1, ban=120.0) as exchange:
        async with connect(exchange.url + "/ws", ping_interval=None) as client:
            await client.send(LIST)
            await client.send(LIST)
            await client.wait_closed()
        assert await status_of(exchange) == (429, "120")
        clock.advance(119.5)
        assert await status_of(exchange) == (429, "1")
        clock.advance(0.5)
        async with connect(exchange.url + "/ws"):
            assert exchange.handshakes_accepted == 2


async def test_attempts_are_limited_too() -> None:
    """So many handshakes in five minutes, accepted or not found, and no more."""
    clock = ManualClock()
    async with asyncio.timeout(10), simulate(clock, attempts=2) as exchange:
        for _ in range(2):
            async with connect(exchange.url + "/ws"):
                pass
        assert await status_of(exchange) == (429, "300")
        clock.advance(300.0)
        async with connect(exchange.url + "/ws"):
            pass


async def test_an_answered_close_leaves_no_timer() -> None:
    """The deadline of the answer ends with the connection."""
    clock = ManualClock()
    async with asyncio.timeout(10), simulate(clock) as exchange:
        async with connect(exchange.url + "/ws") as client:
            exchange.close()
            assert clock.timers == 1
            await client.wait_closed()
        await exchange.until(lambda: not exchange._venue.connections)
        assert clock.timers == 0


async def test_the_server_pings_and_a_pong_satisfies_it() -> None:
    """A ping every interval; answered with its payload, no deadline runs."""
    clock = ManualClock()
    async with asyncio.timeout(10), simulate(clock, max_age=None) as exchange:
        async with connect(exchange.url + "/ws", ping_interval=None) as client:
            for number in range(1, 6):
                clock.advance(20.0)
                await exchange.until(lambda number=number: exchange.received["PONG"] == number)
                assert clock.timers == 1  # the next ping, and no deadline
            assert client.close_code is None


async def test_a_ping_without_a_pong_ends_it_after_the_deadline() -> None:
    """Sixty seconds after the first unanswered ping; an unsolicited pong does not help."""
    clock = ManualClock()
    async with asyncio.timeout(10), simulate(clock) as exchange:
        _, writer = await deaf_client(exchange)
        clock.advance(20.0)
        clock.advance(59.9)
        writer.write(b"\x8a\x80\x00\x00\x00\x00")
        await exchange.until(lambda: exchange.received["PONG"] == 1)
        assert exchange.live
        clock.advance(0.1)

        assert [record.ended for record in exchange.connections] == ["closed with 1008 Pong timeout"]
        writer.close()


async def test_a_connection_lives_a_day_and_no_longer() -> None:
    """At max_age it is closed with 1001, with no word before."""
    clock = ManualClock()
    limits = {"ping_interval": None}
    async with asyncio.timeout(10), simulate(clock, **limits) as exchange:
        async with connect(exchange.url + "/ws") as client:
            clock.advance(86_399.9)
            assert exchange.live
            clock.advance(0.1)
            with pytest.raises(Exception, match="1001"):
                await client.recv()


async def test_the_end_of_its_days_may_be_announced() -> None:
    """`serverShutdown`, wrapped where the client wants it so, comes `notice` seconds before."""
    clock = ManualClock()
    limits = {"ping_interval": None, "max_age": 100.0, "notice": 10.0}
    async with asyncio.timeout(10), simulate(clock, **limits) as exchange:
        async with connect(exchange.url + "/stream") as client:
            clock.advance(89.9)
            clock.advance(0.2)
            event = json.loads(await client.recv())
            assert exchange.live
            clock.advance(9.9)
            assert await closed(client) == (1001, "")

    assert event["stream"] == "!serverShutdown"
    assert event["data"]["e"] == "serverShutdown"


async def test_an_age_may_be_shortened_by_chance() -> None:
    """Downwards only, by a fraction of max_age."""
    clock = ManualClock()
    limits = Limits(max_age=100.0, max_age_jitter=0.5, ping_interval=None)
    async with (
        asyncio.timeout(10),
        SimulatedExchange(rate=None, clock=clock, limits=limits, random=lambda: 0.5) as exchange,
        connect(exchange.url + "/ws") as client,
    ):
        clock.advance(74.9)
        assert exchange.live
        clock.advance(0.1)
        assert await closed(client) == (1001, "")


async def test_an_age_that_is_reached_in_a_stall_is_reached_at_its_end() -> None:
    """A venue that hangs closes nothing; woken up, it does."""
    clock = ManualClock()
    limits = {"ping_interval": None, "max_age": 100.0}
    async with asyncio.timeout(10), simulate(clock, **limits) as exchange:
        async with connect(exchange.url + "/ws") as client:
            exchange.stall()
            clock.advance(1_000.0)
            assert exchange.live
            exchange.resume()
            clock.advance(0.0)
            assert await closed(client) == (1001, "")


async def test_who_does_not_read_is_thrown_out() -> None:
    """Beyond the backlog the connection is reset, and memory stays bounded."""
    limits = Limits(backlog=2**20)
    async with asyncio.timeout(10), SimulatedExchange(rate=None, limits=limits) as exchange:
        _, writer = await deaf_client(exchange)
        exchange.burst(100_000)

        (record,) = exchange.connections
        assert record.ended == "reset, as it did not read"
        assert record.messages < 100_000
        writer.transport.abort()


async def test_without_limits_nothing_is_too_much() -> None:
    """`Limits.off` puts up with all of it, and leaves no timer."""
    clock = ManualClock()
    limits = Limits.off()
    async with (
        asyncio.timeout(10),
        SimulatedExchange(rate=None, clock=clock, limits=limits) as exchange,
        connect(exchange.url + "/ws") as client,
    ):
        for _ in range(100):
            await client.send(LIST)
            await client.recv()
        assert clock.timers == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("messages", 0),
        ("per", 0.0),
        ("ban", -1.0),
        ("attempts", 0),
        ("streams", 0),
        ("ping_interval", 0.0),
        ("pong_timeout", -1.0),
        ("max_age", 0.0),
        ("max_age_jitter", 1.1),
        ("notice", -0.1),
        ("backlog", 0),
        ("close_timeout", 0.0),
    ],
)
def test_a_limit_out_of_range_is_refused(field: str, value: float) -> None:
    """The error names it."""
    with pytest.raises(ConfigError) as refused:
        Limits(**{field: value})

    assert refused.value.field == field


def test_the_market_keeps_its_rate() -> None:
    """So many a second, however the timer comes; what is long overdue is not made up for."""
    clock = ManualClock()
    told: list[int] = []
    ticker = Ticker(30.0, told.append, clock)
    ticker.start()

    clock.advance(10.0)
    assert sum(told) == pytest.approx(300, abs=1)
    clock._timers.clear()  # the machine sleeps: the tick comes an hour late
    clock._now += 3_600.0
    ticker._tick()
    clock.advance(1.0)
    assert sum(told) == pytest.approx(300 + 30, abs=1)

    ticker.stop()
    assert clock.timers == 0


def test_a_fast_market_tells_several_at_once() -> None:
    """There are not more than a hundred ticks a second."""
    clock = ManualClock()
    told: list[int] = []
    Ticker(5_000.0, told.append, clock).start()

    clock.advance(1.0)

    assert sum(told) == pytest.approx(5_000, abs=50)
    assert len(told) <= 100


def test_a_manual_clock_does_not_go_back() -> None:
    """It says so."""
    with pytest.raises(ConfigError, match="seconds"):
        ManualClock().advance(-0.1)
