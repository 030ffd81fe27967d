"""What is sent, over real sockets: its order on the wire, what crosses which connection, and a reader that pauses."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

import pytest
import trustme
from reactivex import Subject

from benchmarks.reliability.raw_server import CLOSE, TEXT, Peer, RawServer, frame
from rxws import Rotation
from rxws.errors import ConnectionClosed, ConnectionFailed
from rxws.events import Closed, DisconnectReason, Overflow, Rotated
from rxws.operators import heartbeat
from rxws.types import Connection
from rxws.unsent import Hold

SUBSCRIPTION = {"op": "subscribe", "channel": "trades"}
SUBSCRIBED = b'{"op":"subscribe","channel":"trades"}'


def texts(server: RawServer) -> list[list[bytes]]:
    """What came as text, by connection."""
    return [[payload for _, payload in peer.messages] for peer in server.peers]


async def log_in(connection: Connection) -> None:
    """A script: say "login", and wait for the welcome."""
    welcomed = asyncio.get_running_loop().create_future()

    def look(message: Any) -> None:
        if not welcomed.done():
            welcomed.set_exception(ValueError("denied")) if message == "denied" else welcomed.set_result(message)

    with connection.messages.subscribe(look, lambda error: welcomed.done() or welcomed.set_exception(error)):
        connection.send("login")
        await welcomed


async def welcoming(peer: Peer) -> None:
    """Welcome whoever logs in, and number a message."""
    await peer.accept()
    await peer.listen(messages=1)
    peer.write(frame(TEXT, b"welcome"))
    peer.number()
    await peer.listen()


async def denying(peer: Peer) -> None:
    """Deny it, and read on."""
    await peer.accept()
    await peer.listen(messages=1)
    peer.write(frame(TEXT, b"denied"))
    await peer.listen()


async def resetting(peer: Peer) -> None:
    """Welcome, read what follows, number a message, and reset TCP at a word."""
    await peer.accept()
    await peer.listen(messages=1)
    peer.write(frame(TEXT, b"welcome"))
    peer.number()
    await peer.listen(messages=3)
    await peer.server.word.wait()
    await peer.reset()


async def staying(peer: Peer) -> None:
    """Number a message, and be a good server."""
    await peer.accept()
    peer.number()
    await peer.listen()


# The order, and what crosses what


async def test_after_a_loss_come_the_script_the_subscriptions_and_what_was_held_in_order(watch: Any) -> None:
    """Each once; what the lost socket was given is not sent again."""
    outgoing: Subject[Any] = Subject()
    settings = {"outgoing": outgoing, "unsent": Hold(), "on_open": log_in, "subscriptions": [SUBSCRIPTION]}

    def send(event: Any) -> None:
        if isinstance(event, Closed):
            for payload in ("a", b"b", {"c": 1}):
                outgoing.on_next(payload)

    async with RawServer(resetting, welcoming) as server, watch(server.url, listener=send, **settings) as seen:
        await seen.until(lambda: seen.numbers == [1])
        outgoing.on_next("first")
        await seen.until(lambda: len(texts(server)[0]) == 3)
        server.word.set()
        await seen.until(lambda: seen.numbers == [1, 2])
        outgoing.on_next("last")
        await seen.until(lambda: b"last" in texts(server)[1])

        assert texts(server)[0] == [b"login", SUBSCRIBED, b"first"]
        assert texts(server)[1] == [b"login", SUBSCRIBED, b"a", b"b", b'{"c":1}', b"last"]
        assert seen.of(Overflow) == []


async def test_nothing_crosses_a_login_that_is_denied(watch: Any) -> None:
    """Twice only the login goes out; the third time all of it, once."""
    outgoing: Subject[Any] = Subject()
    settings = {"outgoing": outgoing, "unsent": Hold(), "on_open": log_in, "subscriptions": [SUBSCRIPTION]}
    async with RawServer(denying, denying, welcoming) as server, watch(server.url, **settings) as seen:
        outgoing.on_next("held")
        await seen.until(lambda: len(texts(server)) == 3 and len(texts(server)[2]) == 3)

        assert texts(server) == [[b"login"], [b"login"], [b"login", SUBSCRIBED, b"held"]]
        failed = [each.error for each in seen.of(Closed)]
        assert [type(error) for error in failed] == [ConnectionFailed] * 2
        assert [str(error.__cause__) for error in failed] == ["denied"] * 2


async def test_what_is_sent_between_two_connections_ends_a_stream_that_is_to_fail(watch: Any) -> None:
    """It is the stream's error, and not retried."""
    outgoing: Subject[Any] = Subject()

    def send(event: Any) -> None:
        if isinstance(event, Closed):
            outgoing.on_next("between")

    settings = {"outgoing": outgoing, "unsent": "fail", "on_open": log_in}
    async with RawServer(denying, welcoming) as server, watch(server.url, listener=send, **settings) as seen:
        await seen.until(lambda: seen.error is not None)
        assert isinstance(seen.error, ConnectionClosed)
        assert len(server.peers) == 1


async def test_what_is_held_leaves_nothing_behind_the_end(watch: Any) -> None:
    """Neither the payload, which is told of, nor the timer that would say that it is too old."""
    outgoing: Subject[Any] = Subject()
    settings = {"outgoing": outgoing, "unsent": Hold(ttl=3_600.0), "on_open": log_in}
    async with RawServer(denying) as server, watch(server.url, **settings) as seen:
        outgoing.on_next("held")
        await seen.closes(1)
        seen.dispose()
        assert (seen.told[-1].where, seen.told[-1].dropped) == ("outgoing", 1)


async def test_through_rotations_each_payload_goes_out_once(watch: Any) -> None:
    """One a millisecond, over several cuts: the servers have read each exactly once, in order."""

    async def feeding(peer: Peer) -> None:
        await peer.accept()
        listening = asyncio.ensure_future(peer.listen())
        while not peer.ended:
            peer.number()
            await asyncio.sleep(0.005)
        await listening

    outgoing: Subject[Any] = Subject()
    settings = {"outgoing": outgoing, "unsent": Hold(), "rotate": Rotation(0.05, overlap=1.0), "max_age_jitter": 0.0}
    async with RawServer(feeding) as server:
        seen, number = watch(server.url, **settings).subscribe(), 0
        while len(seen.of(Rotated)) < 5:
            outgoing.on_next(f"{number}")
            number += 1
            await asyncio.sleep(0.001)
        await seen.until(lambda: sum(map(len, texts(server))) >= number)

        read = [payload for each in texts(server) for payload in each]
        assert [int(payload) for payload in read] == list(range(number))
        assert sum(bool(each) for each in texts(server)) > 2
        assert seen.of(Overflow) == []
        seen.dispose()
        await seen.gone()


# Heartbeats


async def test_a_heartbeat_that_hangs_ends_with_its_connection(watch: Any) -> None:
    """Nothing of it is left; the next connection has one of its own."""
    begun: list[asyncio.Task[Any] | None] = []

    async def hang() -> None:
        begun.append(asyncio.current_task())
        await asyncio.sleep(3600)

    async def closing(peer: Peer) -> None:
        await peer.accept()
        await peer.server.word.wait()
        await peer.end()

    settings = {"heartbeat": heartbeat(0.02, hang), "idle_timeout": None}
    async with RawServer(closing, staying) as server, watch(server.url, **settings) as seen:
        await seen.until(lambda: begun)
        server.word.set()
        await seen.until(lambda: len(begun) > 1)
        assert begun[0] is not None
        assert begun[0].cancelled()


async def test_a_heartbeat_keeps_a_server_that_wants_one(watch: Any) -> None:
    """As OKX does: silence from us ends the connection."""

    async def impatient(peer: Peer) -> None:
        await peer.accept()
        peer.number()
        try:
            for count in range(1, 6):
                async with asyncio.timeout(2.0):
                    await peer.listen(messages=count)
            peer.number()
            await peer.listen()
        except TimeoutError:
            await peer.end(4004)

    settings = {"heartbeat": heartbeat(0.02, "ping")}
    async with RawServer(impatient) as server, watch(server.url, **settings) as seen:
        await seen.until(lambda: seen.numbers == [1, 2])
        assert set(texts(server)[0]) == {b"ping"}
        assert seen.of(Closed) == []


# A reader that pauses


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """An authority that no system knows."""
    return trustme.CA()


@pytest.fixture(params=["ws", "wss"])
def way(request: pytest.FixtureRequest, authority: trustme.CA) -> tuple[ssl.SSLContext | None, dict[str, Any]]:
    """What a server shows, and by what a client verifies it; nothing, where there is no TLS."""
    if request.param == "ws":
        return None, {}
    shown, trusted = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(shown)
    authority.configure_trust(trusted)
    return shown, {"ssl": trusted}


class Grip:
    """Gets hold of a stream's connections."""

    def __init__(self) -> None:
        self.connections: list[Connection] = []

    async def on_open(self, connection: Connection) -> None:
        self.connections.append(connection)

    @property
    def last(self) -> Connection:
        return self.connections[-1]


async def numbering(peer: Peer) -> None:
    """Number a message; at a word, a thousand, more than a kernel takes; then be a good server."""
    await peer.accept()
    peer.number()
    listening = asyncio.ensure_future(peer.listen())
    await peer.server.word.wait()
    for _ in range(100):
        peer.number(10, pad=5_000)
    await listening


async def test_what_comes_during_a_pause_is_with_the_server_and_the_kernel_and_arrives_afterwards(
    watch: Any, way: Any
) -> None:
    """In order, all of it; no pong is missed meanwhile, and silence is none, though both clocks are much shorter."""
    shown, trusted = way
    grip = Grip()
    settings = {"on_open": grip.on_open, "ping_interval": 0.02, "ping_timeout": 0.02, "idle_timeout": 0.1, **trusted}
    async with RawServer(numbering, tls=shown) as server, watch(server.url, **settings) as seen:
        await seen.until(lambda: seen.numbers == [1])
        grip.last.pause()
        server.word.set()
        await asyncio.sleep(0.3)
        assert seen.numbers == [1]
        grip.last.resume()
        await seen.until(lambda: len(seen.numbers) == 1_001)
        assert seen.numbers == list(range(1, 1_002))
        await seen.until(lambda: grip.last.latency is not None)
        assert (len(server.peers), seen.of(Closed)[:1]) == (1, [])


async def test_what_was_read_with_the_message_that_paused_is_still_handed_on(watch: Any) -> None:
    """One read of the loop's, and no more: there is nowhere else for it to be."""
    grip = Grip()

    async def feeding(peer: Peer) -> None:
        await peer.accept()
        peer.number(100)
        await peer.server.word.wait()
        peer.number(100)
        await peer.listen()

    def pause(value: Any) -> None:
        if value["n"] == 1:
            grip.last.pause()
            server.word.set()

    async with RawServer(feeding) as server, watch(server.url, pause, on_open=grip.on_open) as seen:
        await seen.until(lambda: len(seen.numbers) == 100)
        await asyncio.sleep(0.05)
        assert seen.numbers == list(range(1, 101))
        grip.last.resume()
        await seen.until(lambda: len(seen.numbers) == 200)
        assert seen.numbers == list(range(1, 201))


@pytest.mark.parametrize("how", ["dispose", "fail"])
async def test_a_paused_connection_is_closed_properly(watch: Any, way: Any, how: str) -> None:
    """The server's answer to our close is read behind all that waits: nothing waits out close_timeout, an hour here."""
    shown, trusted = way
    grip = Grip()
    settings = {"on_open": grip.on_open, "close_timeout": 3_600.0, "idle_timeout": None, **trusted}
    async with RawServer(numbering, tls=shown) as server, watch(server.url, **settings) as seen:
        await seen.until(lambda: seen.numbers == [1])
        grip.last.pause()
        server.word.set()
        await asyncio.sleep(0.05)
        if how == "fail":
            grip.last.fail(ConnectionClosed(1006))
        else:
            seen.dispose()
        await seen.until(lambda: server.peers[0].ended)
        assert server.peers[0].of(CLOSE) == [b"\x03\xe8"]
        if how == "dispose":
            await seen.gone()
            assert seen.numbers == [1]


@pytest.mark.parametrize("end", ["close", "fin"])
async def test_an_end_during_a_pause_is_found_behind_all_that_was_written(watch: Any, way: Any, end: str) -> None:
    """When it is read again; then the next connection follows."""
    shown, trusted = way
    grip = Grip()

    async def ending(peer: Peer) -> None:
        await peer.accept()
        peer.number()
        await peer.server.word.wait()
        peer.number(1_000)
        if end == "close":
            peer.close(1012)
        peer.fin()

    settings = {"on_open": grip.on_open, "ping_interval": 0.02, "ping_timeout": 0.02, "idle_timeout": None, **trusted}
    async with RawServer(ending, staying, tls=shown) as server, watch(server.url, **settings) as seen:
        await seen.until(lambda: seen.numbers == [1])
        grip.last.pause()
        server.word.set()
        await asyncio.sleep(0.1)
        assert (seen.numbers, seen.of(Closed)) == ([1], [])
        grip.last.resume()
        await seen.until(lambda: len(seen.numbers) == 1_002)
        (closed,) = seen.of(Closed)
        reasons = {"close": DisconnectReason.SERVER_CLOSED, "fin": DisconnectReason.NETWORK_ERROR}
        assert closed.reason is reasons[end]
        assert seen.numbers == list(range(1, 1_003))


async def test_a_connection_may_be_paused_before_anything_is_read(watch: Any, way: Any) -> None:
    """In its script: what came with the handshake's answer waits too, or is handed on, and nothing is lost."""
    shown, trusted = way
    grip = Grip()

    async def pausing(connection: Connection) -> None:
        await grip.on_open(connection)
        connection.pause()

    async def early(peer: Peer) -> None:
        await peer.accept(frame(TEXT, b'{"n":1}'))
        for number in range(2, 200):
            peer.write(frame(TEXT, b'{"n":%d}' % number))
        await peer.listen()

    async with RawServer(early, tls=shown) as server, watch(server.url, on_open=pausing, **trusted) as seen:
        await seen.until(lambda: grip.connections)
        await asyncio.sleep(0.05)
        assert len(seen.numbers) < 200
        grip.last.resume()
        await seen.until(lambda: len(seen.numbers) == 199)
        assert seen.numbers == list(range(1, 200))
