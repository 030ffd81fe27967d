"""One connection: how it is dialled, held, read, kept alive, and ended."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from reactivex.disposable import Disposable
from reactivex.testing import TestScheduler

import rxws.backlog
import rxws.types
from rxws import connect
from rxws.errors import (
    ConfigError,
    ConnectionClosed,
    ConnectionFailed,
    ConnectTimeout,
    IdleTimeout,
    PingTimeout,
    ProtocolError,
)
from rxws.events import DisconnectReason
from rxws.operators import idle_timeout
from rxws.testing import Attempt, ScriptedTransport
from rxws.types import Connection


class One:
    """One subscription of `connect` in virtual time."""

    def __init__(self, attempt: Attempt, through: Any = None, **options: Any) -> None:
        self.virtual, self.transport = TestScheduler(), ScriptedTransport(attempt)
        self.connections: list[Connection] = []
        self.ends: list[object] = []
        stream = connect("ws://scripted", transport=self.transport, **options)
        stream = stream if through is None else stream.pipe(through)
        self.subscription = stream.subscribe(
            self.connections.append, self.ends.append, lambda: self.ends.append("completed"), scheduler=self.virtual
        )

    def to(self, seconds: float) -> One:
        self.virtual.advance_to(seconds)
        return self

    @property
    def connection(self) -> Connection:
        return self.connections[0]


def test_it_emits_the_open_connection_and_errors_when_that_is_lost() -> None:
    """Once each; the error carries how long it had been open."""
    one = One(Attempt(opens=1.0, lost=(4.0, ConnectionClosed(1001, "bye")))).to(2.0)
    assert (one.connection.generation, one.connection.url, one.connection.dial_time) == (1, "ws://scripted", 1.0)
    one.to(5.0)
    assert len(one.connections) == 1
    (error,) = one.ends
    assert isinstance(error, ConnectionClosed)
    assert (error.code, error.reason, error.uptime) == (1001, "bye", 3.0)
    assert one.connection.end_reason is DisconnectReason.SERVER_CLOSED


def test_messages_errors_before_connect_does() -> None:
    """Who reads a connection hears of its end before who made it."""
    heard: list[str] = []
    virtual = TestScheduler()
    transport = ScriptedTransport(Attempt(lost=(1.0, ConnectionClosed(1006))))

    def read(connection: Connection) -> None:
        connection.messages.subscribe(on_error=lambda error: heard.append("messages"))

    stream = connect("ws://scripted", transport=transport)
    stream.subscribe(read, lambda error: heard.append("connect"), scheduler=virtual)
    virtual.advance_to(2.0)
    assert heard == ["messages", "connect"]


def test_what_came_before_anybody_read_is_held_and_handed_on_in_order() -> None:
    """One turn later, never from inside subscribe, and what comes meanwhile stands behind it."""
    one = One(Attempt(messages=[(1.0, "a"), (2.0, b"b"), (3.0, "c")])).to(2.5)
    seen: list[Any] = []
    one.connection.messages.subscribe(seen.append)
    assert seen == []
    one.to(5.0)
    assert seen == ["a", b"b", "c"]


def test_what_is_held_is_bounded_and_what_finds_no_room_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """By messages and by bytes; the first ones stay."""
    for bound in ("MESSAGES", "BYTES"):
        with monkeypatch.context() as patched:
            patched.setattr(rxws.backlog, bound, 2)
            journal = Told()
            one = One(Attempt(messages=[(1.0, "a"), (2.0, "b"), (3.0, "c")]), journal=journal).to(4.0)
            seen: list[Any] = []
            one.connection.messages.subscribe(seen.append)
            one.to(5.0)
            assert (seen, journal.told) == (["a", "b"], [("inbox", 1)])


class Told(rxws.types.Silence):
    def __init__(self) -> None:
        self.told: list[Any] = []

    def dropped(self, where: str, count: int = 1) -> None:
        self.told.append((where, count))


def test_there_is_one_sink_and_messages_beside_it() -> None:
    """The raw sink gets bytes and their kind; who observes `messages` gets them whole, first."""
    one = One(Attempt(messages=[(1.0, "a"), (2.0, b"b")])).to(0.5)
    seen: list[Any] = []
    one.connection.attach(lambda payload, is_text: seen.append((payload, is_text)))
    observed = one.connection.messages.subscribe(seen.append)
    one.to(1.5)
    observed.dispose()
    one.to(3.0)
    assert seen == ["a", (b"a", True), (b"b", False)]


def test_text_that_is_not_utf8_fails_the_connection_with_1007() -> None:
    """RFC 6455, section 8.1; binary messages may be anything."""
    one = One(Attempt()).to(0.5)
    seen: list[Any] = []
    one.connection.messages.subscribe(seen.append, seen.append)
    receiver: Any = one.connection
    receiver.on_message(b"\xff", False)
    receiver.on_message(b"\xff", True)
    assert seen[0] == b"\xff"
    assert isinstance(seen[1], ProtocolError)
    assert one.ends == [seen[1]]
    assert one.transport.dials[0].close_code == 1007


def test_counters_and_times_are_of_this_connection() -> None:
    """Messages and bytes both ways."""
    one = One(Attempt(messages=[(1.0, "ab"), (2.0, b"cde")])).to(0.5)
    assert (one.connection.last_message_time, one.connection.last_data_time) == (None, 0.0)
    one.connection.send({"op": 1})
    one.connection.send("ü")
    one.connection.send(b"raw")
    one.to(3.0)
    connection = one.connection
    assert (connection.messages_received, connection.bytes_received) == (2, 5)
    assert (connection.messages_sent, connection.bytes_sent) == (3, 8 + 2 + 3)
    assert (connection.reads, connection.last_message_time, connection.last_data_time) == (2, 2.0, 2.0)
    assert one.transport.dials[0].sent == ['{"op":1}', "ü", b"raw"]


def test_close_and_abort_complete_and_dispose_says_nothing() -> None:
    """They are our own ends; afterwards nothing can be sent."""
    for end, heard in [("close", ["completed"]), ("abort", ["completed"]), ("dispose", [])]:
        one = One(Attempt(messages=[(2.0, "late")])).to(1.0)
        completed: list[str] = []
        one.connection.messages.subscribe(on_completed=lambda completed=completed: completed.append("completed"))  # type: ignore[misc]
        getattr(one.subscription if end == "dispose" else one.connection, end)()
        one.to(3.0)
        assert (one.ends, completed, one.transport.live) == (heard, ["completed"], 0)
        with pytest.raises(ConnectionClosed):
            one.connection.send("x")


def test_close_sends_its_code() -> None:
    """RFC 6455, section 7.1.1."""
    one = One(Attempt()).to(1.0)
    one.connection.close(1001, "going away")
    one.connection.close(1000)
    assert one.transport.dials[0].close_code == 1001


def test_opening_has_its_timeout_callables_included() -> None:
    """A token service that hangs is found too."""
    one = One(Attempt(opens=None), open_timeout=2.0).to(3.0)
    (error,) = one.ends
    assert isinstance(error, ConnectTimeout)
    assert one.transport.live == 0

    async def main() -> Exception:
        async def hang() -> str:
            await asyncio.get_running_loop().create_future()
            return ""

        failed: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        subscription = connect(hang, open_timeout=0.001).subscribe(on_error=failed.set_result)
        async with asyncio.timeout(10):
            error = await failed
        subscription.dispose()
        return error

    assert isinstance(asyncio.run(main()), ConnectTimeout)


def test_a_socket_that_opens_after_the_end_is_aborted() -> None:
    """A transport that was too slow to hear of it leaves no socket behind."""
    one = One(Attempt(opens=None), open_timeout=1.0).to(2.0)

    class Socket:
        aborted = False

        def abort(self) -> None:
            self.aborted = True

    socket, late = Socket(), LateTransport()
    virtual = TestScheduler()
    connect("ws://scripted", transport=late, open_timeout=1.0).subscribe(on_error=lambda _: None, scheduler=virtual)
    virtual.advance_to(2.0)
    late.receiver.on_open(socket)
    assert socket.aborted
    assert one.connections == []


class LateTransport(ScriptedTransport):
    receiver: Any = None

    def open(self, dial: Any, receiver: Any, scheduler: Any) -> Any:
        self.receiver = receiver
        return Disposable()


def test_a_handshake_that_is_answered_after_the_end_has_taken_nobody_s_time() -> None:
    """What the transport read then was with nobody: no consumer was slow, whatever the clock says."""
    slow: list[float] = []

    class Told(rxws.types.Silence):
        def slow(self, seconds: float) -> None:
            slow.append(seconds)

    virtual, transport = TestScheduler(), LateTransport(Attempt(opens=None))
    virtual.advance_to(5_000.0)
    subscription = connect("ws://scripted", transport=transport, journal=Told()).subscribe(scheduler=virtual)
    virtual.advance_to(5_001.0)
    subscription.dispose()
    transport.receiver.on_open(Quiet())
    transport.receiver.on_read_over()
    assert slow == []


class Quiet:
    """A socket that only goes."""

    def abort(self) -> None: ...


def test_dispose_before_the_first_turn_dials_nothing() -> None:
    """The dial comes one turn after subscribe."""
    one = One(Attempt())
    one.subscription.dispose()
    assert one.to(5.0).transport.dials == []


def test_without_a_running_loop_subscribing_names_run() -> None:
    """The error says what a script calls instead."""
    errors: list[Exception] = []
    connect("ws://127.0.0.1:9").subscribe(on_error=errors.append)
    assert isinstance(errors[0], ConfigError)
    assert "rxws.run" in str(errors[0])


def test_a_refused_dial_is_a_failed_connection_with_what_the_system_said() -> None:
    """On a real socket: nobody listens on port 9 of loopback."""

    async def main() -> Exception:
        failed: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        connect("ws://127.0.0.1:9/ws?token=tell-nobody").subscribe(on_error=failed.set_result)
        async with asyncio.timeout(10):
            return await failed

    error = asyncio.run(main())
    assert isinstance(error, ConnectionFailed)
    assert isinstance(error.__cause__, ConnectionRefusedError)
    assert "tell-nobody" not in str(error)


@pytest.mark.parametrize("name", ["url", "headers"])
def test_what_a_callable_raises_is_told_with_the_arguments_name(name: str) -> None:
    """Else it would read as if the network had failed."""

    def raising() -> Any:
        raise KeyError("listenKey")

    options: dict[str, Any] = {"url": "ws://scripted", "transport": ScriptedTransport(), name: raising}
    virtual, errors = TestScheduler(), []
    connect(**options).subscribe(on_error=errors.append, scheduler=virtual)
    virtual.advance_to(1.0)
    assert isinstance(errors[0], ConnectionFailed)
    assert errors[0].script == name
    assert str(errors[0]).endswith(f": {name}: KeyError: 'listenKey'")


# Keepalive


def test_pings_go_out_every_interval_and_measure_the_latency() -> None:
    """The next one `ping_interval` after the last pong."""
    one = One(Attempt(), ping_interval=2.0, ping_timeout=1.0).to(0.5)
    assert one.connection.latency is None
    one.to(9.0)
    assert (one.transport.dials[0].pings, one.ends, one.connection.latency) == (4, [], 0.0)


def test_a_pong_that_does_not_come_is_a_loss() -> None:
    """After `ping_timeout`; without a timeout it is waited for in vain, and pings go on."""
    one = One(Attempt(pongs=False), ping_interval=2.0, ping_timeout=1.0).to(10.0)
    (error,) = one.ends
    assert isinstance(error, PingTimeout)
    assert (error.timeout, error.uptime) == (1.0, 3.0)
    one = One(Attempt(pongs=False), ping_interval=2.0, ping_timeout=None).to(9.0)
    assert (one.ends, one.transport.dials[0].pings) == ([], 4)
    one = One(Attempt(), ping_interval=None).to(100.0)
    assert one.transport.dials[0].pings == 0


def test_only_the_pong_of_the_last_ping_counts() -> None:
    """One that nobody asked for, or that comes twice, changes nothing (RFC 6455, section 5.5.3)."""
    one = One(Attempt(pongs=False), ping_interval=2.0, ping_timeout=1.0).to(1.0)
    receiver: Any = one.connection
    receiver.on_pong(b"unasked")
    one.to(2.5)
    receiver.on_pong(b"wrong")
    receiver.on_pong((1).to_bytes(4))
    receiver.on_pong((1).to_bytes(4))
    assert one.connection.latency == 0.5
    one.to(4.4)
    assert one.transport.dials[0].pings == 1
    one.to(10.0)
    assert isinstance(one.ends[0], PingTimeout)


def test_a_pong_is_not_missed_while_reads_go_on() -> None:
    """What a busy loop has not read yet may hold it: each read gives it another turn, up to a full kernel buffer."""
    one = One(Attempt(pongs=False), ping_interval=2.0, ping_timeout=1.0).to(2.5)
    receiver: Any = one.connection
    turns = 0

    def backlog(*_: object) -> None:
        nonlocal turns
        turns += 1
        receiver.on_read()
        if turns == 20:
            receiver.on_pong((1).to_bytes(4))
        elif turns < 20:
            one.virtual.schedule(backlog)

    one.virtual.schedule_absolute(3.0, backlog)
    one.to(3.5)
    assert (turns, one.ends) == (20, [])


def test_reads_without_end_do_not_hide_a_missing_pong() -> None:
    """After as many reads as a kernel's buffer can fill, what had arrived has been read."""
    one = One(Attempt(pongs=False), ping_interval=2.0, ping_timeout=1.0).to(2.5)
    receiver: Any = one.connection

    def flood(*_: object) -> None:
        receiver.on_read()
        if not one.ends:
            one.virtual.schedule(flood)

    one.virtual.schedule_absolute(3.0, flood)
    one.to(3.5)
    assert isinstance(one.ends[0], PingTimeout)


# Pausing


def test_while_it_is_paused_nothing_arrives_and_nothing_is_lost() -> None:
    """What came meanwhile follows in order, and a loss behind it; twice is once."""
    lost = ConnectionClosed(1001)
    one = One(Attempt(messages=[(float(at), str(at)) for at in range(1, 6)], lost=(5.5, lost))).to(0.5)
    seen: list[tuple[float, Any]] = []
    one.connection.messages.subscribe(lambda message: seen.append((one.virtual.clock, message)), seen.append)
    one.to(1.5)
    for _ in range(2):
        one.connection.pause()
    one.to(20.0)
    assert (seen, one.ends, one.connection.messages_received) == ([(1.0, "1")], [], 1)
    for _ in range(2):
        one.connection.resume()
    assert len(seen) == 1
    one.to(21.0)
    assert seen[1:] == [(20.0, "2"), (20.0, "3"), (20.0, "4"), (20.0, "5"), lost]
    assert one.ends == [lost]


def test_it_may_be_paused_before_anything_is_read_and_from_within() -> None:
    """By whoever gets the connection, and by whoever gets a message: the next one waits."""
    virtual, transport, seen = TestScheduler(), ScriptedTransport(Attempt(messages=[(0.0, "a"), (0.0, "b")])), []
    connections: list[Connection] = []

    def begin(connection: Connection) -> None:
        connections.append(connection)
        connection.pause()
        connection.messages.subscribe(read)

    def read(message: Any) -> None:
        seen.append(message)
        connections[0].pause()

    connect("ws://scripted", transport=transport).subscribe(begin, scheduler=virtual)
    for expected in ([], ["a"], ["a", "b"]):
        virtual.advance_by(10.0)
        assert seen == expected
        connections[0].resume()


def test_pings_stand_still_and_go_on_with_what_was_left() -> None:
    """None goes out, and no pong is missed, however long it takes; to pause it again changes nothing."""
    one = One(Attempt(), ping_interval=10.0, ping_timeout=1.0).to(7.0)
    one.connection.pause()
    one.to(50.0).connection.pause()
    one.to(100.0)
    assert (one.transport.dials[0].pings, one.ends) == (0, [])
    one.connection.resume()
    one.to(102.9)
    assert one.transport.dials[0].pings == 0
    one.to(103.0)
    assert one.transport.dials[0].pings == 1


def test_a_pong_that_waits_behind_a_pause_says_nothing() -> None:
    """Neither that the server is slow nor that it is gone; the next ping measures again."""
    one = One(Attempt(pongs=False), ping_interval=10.0, ping_timeout=5.0).to(11.0)
    receiver: Any = one.connection
    one.connection.pause()
    one.to(100.0)
    one.connection.resume()
    receiver.on_pong((1).to_bytes(4))
    assert (one.connection.latency, one.ends) == (None, [])
    one.to(110.5)
    receiver.on_pong((2).to_bytes(4))
    assert one.connection.latency == 0.5
    one.to(1000.0)
    assert isinstance(one.ends[0], PingTimeout)


@pytest.mark.parametrize("is_data", [None, lambda payload: payload != b"beat"])
def test_silence_begins_when_it_is_resumed(is_data: Any) -> None:
    """A pause is none, however long; what follows is."""
    one = One(Attempt(messages=[(1.0, "1"), (50.0, "beat")]), idle_timeout(5.0, is_data), ping_interval=None)
    seen: list[Any] = []
    one.to(0.5).connection.messages.subscribe(seen.append, bool)
    one.to(4.0).connection.pause()
    one.to(100.0)
    assert (one.ends, one.connection.last_data_time, seen) == ([], 100.0, ["1"])
    one.connection.resume()
    one.to(104.5)
    assert (one.ends, one.connection.last_data_time, seen) == ([], 100.0, ["1", "beat"])
    one.to(200.0)
    [error] = one.ends
    assert isinstance(error, IdleTimeout)
    assert error.uptime == 105.0


@pytest.mark.parametrize("end", ["close", "abort", "fail", "dispose"])
def test_a_paused_connection_ends_like_another(end: str) -> None:
    """And to resume it then, or to pause it, changes nothing."""
    one = One(Attempt(messages=[(1.0, "a"), (3.0, "b")]), ping_interval=2.0).to(0.5)
    seen: list[Any] = []
    one.connection.messages.subscribe(seen.append, bool)
    one.connection.pause()
    one.to(4.0)
    if end == "dispose":
        one.subscription.dispose()
    elif end == "fail":
        one.connection.fail(ConnectionClosed(1006))
    else:
        getattr(one.connection, end)()
    for change in (one.connection.resume, one.connection.pause, one.connection.resume):
        change()
        one.to(one.virtual.clock + 10.0)
    assert (seen, len(one.ends), one.transport.live) == ([], int(end != "dispose"), 0)
    assert one.transport.dials[0].pings == 0


def test_what_is_sent_while_it_is_paused_goes_out() -> None:
    """Only reading is paused."""
    one = One(Attempt()).to(0.5)
    one.connection.pause()
    one.connection.send("a")
    assert one.transport.dials[0].sent == ["a"]


@pytest.mark.parametrize(
    ("field", "code", "reason"),
    [
        ("code", 1006, ""),
        ("code", 42, ""),
        ("code", 5000, ""),
        ("code", None, ""),
        ("reason", 1000, "x" * 124),
        ("reason", 1000, b"x"),
    ],
)
def test_close_refuses_what_no_frame_can_carry_and_leaves_the_connection(field: str, code: Any, reason: Any) -> None:
    """The caller hears of it, and can close it rightly afterwards (RFC 6455, section 7.4)."""
    one = One(Attempt()).to(1.0)
    with pytest.raises(ConfigError) as raised:
        one.connection.close(code, reason)
    assert (raised.value.field, one.ends, one.transport.live) == (field, [], 1)
    one.connection.close(4999, "x" * 123)
    assert (one.ends, one.transport.live) == (["completed"], 0)


@pytest.mark.parametrize(
    ("field", "url", "options"),
    [
        ("url", "ws://user@host/", {}),
        ("server_hostname", "ws://host/", {"server_hostname": "other"}),
        ("ssl", "ws://host/", {"ssl": object()}),
    ],
)
def test_what_would_fail_every_dial_is_refused_when_built(field: str, url: str, options: dict[str, Any]) -> None:
    """A user without a password, and what only an encrypted connection has."""
    with pytest.raises(ConfigError) as raised:
        connect(url, transport=ScriptedTransport(), **options)
    assert raised.value.field == field
