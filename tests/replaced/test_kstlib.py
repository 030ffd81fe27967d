"""The faults of kstlib's `WebSocketManager`, one test each: what it did, and what is right.

The numbers are those of the list from which rxws was planned. Each docstring says the fault first; what the test
shows is what rxws does instead, and with that fault in rxws it would fail.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from benchmarks.reliability.raw_server import CLOSE, TEXT, Peer, RawServer, frame
from rxws import Backoff
from rxws.errors import (
    BufferOverflow,
    ConfigError,
    ConnectionClosed,
    ConnectTimeout,
    HandshakeRejected,
    IdleTimeout,
    Killed,
    NotConnected,
    PingTimeout,
    ProtocolError,
    RetriesExhausted,
)
from rxws.events import Closed, ConnectionState, DisconnectReason, Event, Opened, Overflow, Subscribed, Waiting
from rxws.settings import Settings
from tests.client.hand import deaf, flap, forbid, greet, hang, outcome, quiet, refuse, task, turns, until

S, R = ConnectionState, DisconnectReason


async def close_with(peer: Peer, code: int) -> None:
    """Accept, number a message, and close when a message comes."""
    await peer.accept()
    peer.number()
    await peer.listen(messages=1)
    await peer.end(code)


@pytest.mark.parametrize("code", [1000, 1001])
async def test_k01_a_clean_close_by_the_server_is_a_loss(hand: Any, code: int) -> None:
    """Fault: after 1000 or 1001 it stayed CONNECTED, and `stream` hung. Right: SERVER_CLOSED, counted, retried."""
    async with RawServer(lambda peer: close_with(peer, code), greet) as server, hand(server.url) as client:
        stream = client.stream()
        assert await anext(stream) == {"n": 1}
        await client.send("now")
        assert await anext(stream) == {"n": 2}
        assert [each.reason for each in client.of(Closed)] == [R.SERVER_CLOSED]
        assert client.stats.disconnects == client.stats.reactive_disconnects == 1


@pytest.mark.parametrize("verb", ["shutdown", "force_close"])
@pytest.mark.parametrize("script", [refuse, hang, flap])
async def test_k02_what_is_shut_down_stays_shut(hand: Any, verb: str, script: Any) -> None:
    """Fault: shut down while it reconnected, it was CONNECTED 2 s later. Right: no dial comes after the end."""
    again: dict[str, Any] = {"retry": Backoff.fixed(0.01), "open_timeout": 60.0}
    async with RawServer(quiet, script) as server, hand(server.url, **again) as client:
        client.kill()
        await until(lambda: len(server.peers) == 2)
        await getattr(client, verb)()
        dials = len(server.peers)
        await hand.nothing_left()
        await asyncio.sleep(0.05)
        assert len(server.peers) == dials
        assert client.is_shutdown and client.state is S.CLOSED and not client.is_connected


async def test_k03_an_error_of_the_users_is_no_error_of_the_connection(hand: Any, unheard: list[BaseException]) -> None:
    """Fault: three exceptions in `on_message`, four live connections. Right: it is reported; the connection stays."""
    error = ValueError("a bug")

    def handler(value: Any) -> None:
        raise error

    unheard.extend([error] * 3)
    async with RawServer(quiet) as server, hand(server.url) as client:
        for _ in range(3):
            client.add_handler(handler)
        server.peers[0].number(3)
        assert [(await client.receive(5.0))["n"] for _ in range(3)] == [1, 2, 3]
        assert len(server.peers) == 1 and client.stats.disconnects == 0


async def test_k04_kill_really_cuts_the_socket(hand: Any) -> None:
    """Fault: `kill` closed with the illegal code 1006 and forgot the socket. Right: the server sees it go, at once."""
    async with RawServer(quiet) as server, hand(server.url, retry=Backoff.fixed(3600.0)) as client:
        client.kill()
        await until(lambda: server.peers[0].ended, 1.0)
        assert server.peers[0].of(CLOSE) == []
        assert client.stats.reasons == {R.KILLED: 1} and client.stats.reactive_disconnects == 1


async def test_k05_who_waits_hears_that_it_gave_up(hand: Any) -> None:
    """Fault: the error died in a background task, and readers waited for ever. Right: each who waits gets it."""
    few = {"retry": Backoff(initial=0.001, cap=0.001, max_attempts=2)}
    async with RawServer(quiet, refuse) as server, hand(server.url, **few) as client:
        waiting = [
            task(outcome(anext(client.stream()))),
            task(outcome(anext(client.stream_filter()))),
            task(outcome(client.receive())),
        ]
        await turns()
        client.kill()
        waiting += [task(outcome(client.wait_connected())), task(outcome(client.connect()))]
        assert {type(each) for each in await asyncio.gather(*waiting)} == {RetriesExhausted}


async def test_k06_a_timeout_is_a_failed_attempt(hand: Any) -> None:
    """Fault: a timeout escaped the retry, stuck in CONNECTING, `connect` refused. Right: retried, then an error."""
    few = {"retry": Backoff(initial=0.001, cap=0.001, max_attempts=2), "open_timeout": 0.05}
    async with RawServer(hang, hang, quiet) as server, hand(server.url, connect=False, **few) as client:
        error = await outcome(client.connect())
        assert isinstance(error, RetriesExhausted) and isinstance(error.__cause__, ConnectTimeout)
        assert client.state is S.DISCONNECTED
        await client.connect()
        assert client.is_connected


async def test_k07_attempts_are_counted_once(hand: Any) -> None:
    """Fault: two nested budgets, up to 110 dials for 10. Right: max_attempts dials, and the error says so."""
    few = {"retry": Backoff(initial=0.001, cap=0.001, max_attempts=10)}
    async with RawServer(refuse) as server, hand(server.url, connect=False, **few) as client:
        error = await outcome(client.connect())
        assert (error.in_a_row, error.total, len(server.peers)) == (10, 10, 10)


async def test_k08_no_task_cancels_itself(hand: Any) -> None:
    """Fault: the end ran in the task that it cancelled. Right: a handler that closes is not cancelled by it."""
    done: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def handler(value: Any) -> None:
        await client.close()
        current = asyncio.current_task()
        assert current is not None
        async with asyncio.timeout(5.0):  # is broken in a task that was cancelled and does not know
            await asyncio.sleep(0)
        done.set_result(current.cancelling())

    async with RawServer(greet) as server, hand(server.url, connect=False) as client:
        client.add_handler(handler)
        await client.connect()
        assert await done == 0


async def test_k09_request_disconnect_does_not_hold_its_caller(hand: Any) -> None:
    """Fault: it blocked for `reconnect_after` seconds, 300 in its own example. Right: it is no coroutine at all."""
    async with RawServer(quiet) as server, hand(server.url) as client:
        assert client.request_disconnect(reconnect_after=300.0) is None
        assert client.of(Waiting)[-1].seconds == 300.0


async def test_k10_without_automatic_reconnects_planned_ends_still_lead_back(hand: Any) -> None:
    """Fault: auto_reconnect=False made should_reconnect a silent no-op. Right: it is about losses only."""
    plan = {"auto_reconnect": False, "reconnect_when": lambda: True, "check_interval": 0.01}
    async with RawServer(quiet) as server, hand(server.url, **plan) as client:
        client.request_disconnect()
        assert await client.wait_connected(5.0) is True
        assert len(server.peers) == 2


async def test_k11_close_ends_who_reads(hand: Any) -> None:
    """Fault: `close` left another task in `stream` waiting for ever. Right: the loop ends."""
    async with RawServer(quiet) as server, hand(server.url) as client:

        async def read() -> str:
            async for _ in client.stream():
                pass
            return "over"

        reading, receiving = task(read()), task(outcome(client.receive()))
        await turns()
        await client.close()
        assert await reading == "over"
        assert isinstance(await receiving, NotConnected)


async def test_k12_a_cancelled_reader_is_cancelled(hand: Any) -> None:
    """Fault: `stream` swallowed CancelledError and returned. Right: it is raised, and a TaskGroup sees it."""
    async with RawServer(quiet) as server, hand(server.url) as client:

        async def read() -> None:
            async for _ in client.stream():
                pass

        reading = task(read())
        await turns()
        reading.cancel()
        await asyncio.wait([reading])
        assert reading.cancelled()


async def test_k13_what_overflows_is_a_choice_counted_and_no_storm(hand: Any) -> None:
    """Fault: the newest was dropped, uncounted, one alert a drop. Right: a policy, an exact count, and few events."""
    async with RawServer(quiet) as server, hand(server.url, maxsize=5, overflow="drop_oldest") as client:
        server.peers[0].number(50)
        await until(lambda: client.stats.messages_received == 50)
        await client.close()
        assert [each["n"] async for each in client.stream()] == [46, 47, 48, 49, 50]
        assert client.stats.dropped == 45
        events = client.of(Overflow)
        assert len(events) <= 2 and sum(each.dropped for each in events) == 45


async def test_k14_what_has_ended_grows_no_more(hand: Any) -> None:
    """Fault: durations grew after the end, by the wall clock; bytes were characters. Right: neither."""

    async def speak(peer: Peer) -> None:
        await peer.accept()
        peer.write(frame(TEXT, "€".encode()))
        await peer.listen()

    async with RawServer(speak) as server, hand(server.url) as client:
        assert await client.receive(5.0) == "€"
        await client.send("€")
        await client.close()
        before = client.stats.uptime, client.stats.connection_time
        await asyncio.sleep(0.01)
        assert (client.stats.uptime, client.stats.connection_time) == before
        assert client.connection_duration == 0.0
        assert client.stats.bytes_received == client.stats.bytes_sent == 3


async def test_k15_every_reason_is_produced_by_something(hand: Any) -> None:
    """Fault: most of its reasons, and two errors, were never used. Right: each comes of what it says."""

    async def garbage(peer: Peer) -> None:
        await peer.accept()
        await peer.listen(messages=1)
        peer.write(frame(0x3))
        await peer.listen()

    async def drop(peer: Peer) -> None:
        await peer.accept()
        await peer.listen(messages=1)
        peer.fin()

    async def mute(peer: Peer) -> None:
        await peer.accept()
        await peer.listen(pongs=False)

    seen: dict[DisconnectReason, Any] = {}
    cases: list[tuple[Any, dict[str, Any]]] = [
        (lambda peer: close_with(peer, 1001), {}),
        (drop, {}),
        (garbage, {}),
        (mute, {"ping_interval": 0.02, "ping_timeout": 0.02}),
        (quiet, {"idle_timeout": 0.02}),
        (quiet, {"max_age": 0.02}),
        (quiet, {"disconnect_when": lambda: client.is_connected, "check_interval": 0.02}),
    ]
    for script, settings in cases:
        async with RawServer(script) as server, hand(server.url, **settings) as client:
            if not settings:
                await client.send("now")
            await until(lambda client=client: client.of(Closed))
            seen[client.of(Closed)[0].reason] = client.of(Closed)[0].error
    async with RawServer(quiet) as server, hand(server.url) as client:
        client.kill()
        await client.wait_connected()
        client.request_disconnect(0.0)
        await client.wait_connected()
        await client.close()
        seen |= {each.reason: each.error for each in client.of(Closed)}
    assert set(seen) == set(R)
    kinds = {reason: type(error) for reason, error in seen.items() if reason.is_reactive}
    assert kinds == {
        R.SERVER_CLOSED: ConnectionClosed,
        R.NETWORK_ERROR: ConnectionClosed,
        R.PROTOCOL_ERROR: ProtocolError,
        R.PING_TIMEOUT: PingTimeout,
        R.IDLE_TIMEOUT: IdleTimeout,
        R.KILLED: Killed,
    }
    assert Settings.load(preset="trading", environ={}) != Settings.load(preset="monitoring", environ={})


async def test_k16_a_subscription_is_neither_lost_nor_pretended(hand: Any) -> None:
    """Fault: restored over a set that changed; failed sends looked subscribed. Right: in order; only what was sent."""

    async def log_in(connection: Any) -> None:
        if connection.generation == 2:
            await client.subscribe("c")  # while the second connection is being made

    names = ["a", "b"]
    async with RawServer(quiet) as server, hand(server.url, subscriptions=names, on_open=log_in) as client:
        client.kill()
        await client.wait_connected()
        await until(lambda: len(server.peers[1].messages) == 3)
        assert [json.loads(text)["channel"] for _, text in server.peers[1].messages] == ["a", "b", "c"]
        socket = client.present_ws._socket
        socket.send, send = no_room, socket.send
        with pytest.raises(BufferOverflow):
            await client.subscribe("d")
        socket.send = send
        assert "d" not in client.subscriptions


def no_room(payload: bytes, is_text: bool) -> None:
    """An outbox that is full."""
    raise BufferOverflow(1, 1)


async def test_k17_a_connect_script_that_raises_leaves_no_socket(hand: Any) -> None:
    """Fault: `on_connect` raised: DISCONNECTED, with the socket alive. Right: that socket goes, the next one comes."""

    async def log_in(connection: Any) -> None:
        if connection.generation == 1:
            raise ValueError("not yet")

    async with RawServer(quiet) as server, hand(server.url, on_open=log_in, subscriptions=["a"]) as client:
        await until(lambda: server.peers[0].ended)
        assert server.peers[0].messages == [], "nothing is subscribed behind a script that failed"
        await until(lambda: server.peers[1].messages)
        assert client.is_connected and len(client.of(Subscribed)) == 1


async def test_k18_what_no_attempt_can_cure_is_not_tried_again(hand: Any) -> None:
    """Fault: 401 was retried, without jitter, uninterruptibly. Right: told at once; `close` cuts a jittered wait."""
    async with RawServer(forbid) as server, hand(server.url, connect=False) as client:
        assert isinstance(await outcome(client.connect()), HandshakeRejected)
        assert len(server.peers) == 1
    random = iter([0.25, 0.75])
    waits = {"retry": Backoff(initial=3600.0, cap=3600.0), "random": lambda: next(random)}
    async with RawServer(flap) as server, hand(server.url, connect=False, **waits) as client:
        connecting = task(outcome(client.connect()))
        await until(lambda: client.of(Waiting))
        assert client.of(Waiting)[0].seconds == 3600.0 * 0.75
        await client.close()
        assert isinstance(await connecting, NotConnected)


async def test_k19_an_error_is_told_by_its_own_name(hand: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Fault: failures of the reconnect were logged as those of `should_reconnect`. Right: each is what it is."""
    answers: list[Any] = [ValueError("the callable's own"), True]

    def reconnect_when() -> bool:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return bool(answer)

    few = {"retry": Backoff(initial=0.001, cap=0.001, max_attempts=1), "check_interval": 0.01}
    async with RawServer(quiet, refuse) as server, hand(server.url, reconnect_when=reconnect_when, **few) as client:
        client.request_disconnect()
        error = await outcome(client.wait_connected())
        assert isinstance(error, RetriesExhausted) and isinstance(error.__cause__, HandshakeRejected)
    named = [each.getMessage() for each in caplog.records if "reconnect_when" in each.getMessage()]
    assert len(named) == 1 and "the callable's own" in named[0]


async def test_k20_the_reconnect_window_understands_its_answers(hand: Any) -> None:
    """Fault: a number never became true, numpy's true was none, no async. Right: all of them are what they say."""

    class NumpyTrue:
        def __bool__(self) -> bool:
            return True

    async def later() -> float:
        return 0.001

    async with hand("ws://127.0.0.1:9/", connect=False, check_interval=0.001) as client:
        for ask in (lambda: 0.001, NumpyTrue, later, lambda: True):
            assert await client.wait_for_reconnect_window(ask, timeout=5.0) is True
        assert await client.wait_for_reconnect_window(lambda: False, timeout=0.01) is False


async def test_k21_where_one_connection_ended_is_seen_in_the_data(hand: Any) -> None:
    """Fault: values of a dead socket came after the reconnect, with no mark. Right: lifecycle=True marks the place."""
    async with RawServer(greet) as server, hand(server.url, lifecycle=True) as client:
        await until(lambda: client.stats.messages_received == 1)
        client.kill()
        await until(lambda: client.stats.messages_received == 2)
        await client.close()
        seen = [each async for each in client.stream()]
        marks = [each.generation if isinstance(each, Opened | Closed) else each for each in seen]
        assert [each for each in marks if not isinstance(each, Event)] == [1, {"n": 1}, 1, 2, {"n": 2}, 2]


async def test_k22_an_emergency_does_not_wait(hand: Any) -> None:
    """Fault: force_close waited 10 s for a closing handshake. Right: the socket is cut, without a word."""
    async with RawServer(deaf) as server, hand(server.url, close_timeout=3600.0) as client:
        await client.force_close()
        await hand.nothing_left()


async def test_k23_nobody_polls(hand: Any) -> None:
    """Fault: readers woke every second, and could lose a value doing so. Right: no timer runs for who waits."""
    calm = {"ping_interval": None, "idle_timeout": None}
    async with RawServer(quiet) as server, hand(server.url, **calm) as client:
        timers: list[float] = []
        loop = asyncio.get_running_loop()
        call_at = loop.call_at
        loop.call_at = lambda when, *rest, **more: timers.append(when) or call_at(when, *rest, **more)  # type: ignore[method-assign]
        reading, waiting = task(client.receive()), task(client.wait_disconnected())
        await turns(50)
        loop.call_at = call_at  # type: ignore[method-assign]
        assert timers == []
        server.peers[0].number()
        assert await reading == {"n": 1}
        client.kill()
        await waiting


async def test_a_pair_of_callbacks_that_contradict_each_other_does_not_thrash(hand: Any) -> None:
    """Fault, on its docs page: leave above 30 s, come back below 60 s, both true. Right: never two dials too near."""
    both = {"disconnect_when": lambda: True, "reconnect_when": lambda: True, "check_interval": 0.05}
    async with RawServer(quiet) as server, hand(server.url, connect=False, **both) as client:
        connecting = task(outcome(client.connect()))
        await asyncio.sleep(0.3)
        assert len(server.peers) <= 7
        await client.close()
        await connecting


async def test_what_its_docs_promised_is_there(hand: Any) -> None:
    """Fault: raw subscriptions, verbs without await, and waiting for a safe moment were on the page only."""
    raw = [{"method": "SUBSCRIBE", "params": ["btcusdt@kline_1m"], "id": 1}]
    async with RawServer(quiet) as server, hand(server.url, subscriptions=raw) as client:
        client.schedule_reconnect(0.0)
        client.request_disconnect()
        await client.wait_connected(5.0)
        await until(lambda: len(server.peers) == 2 and server.peers[1].messages)
        assert json.loads(server.peers[1].messages[0][1]) == raw[0]
        await until(lambda: server.peers[0].of(CLOSE))
        with pytest.raises(ConfigError):
            client.request_disconnect(reason=R.KILLED)
