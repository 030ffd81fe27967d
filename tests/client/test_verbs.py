"""connect, close, force_close, shutdown and kill, at every moment of a client's life."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from benchmarks.reliability.raw_server import CLOSE, Elsewhere, Peer, RawServer
from rxws import Backoff, WebSocketClient
from rxws.errors import (
    ConfigError,
    ConnectionFailed,
    ConnectTimeout,
    HandshakeRejected,
    Killed,
    NotConnected,
    RetriesExhausted,
)
from rxws.events import Closed, Connecting, ConnectionState, DisconnectReason, Opened, Subscribed, Waiting
from tests.client.hand import deaf, flap, forbid, greet, hang, outcome, quiet, refuse, task, turns, until

S = ConnectionState
FAST = Backoff(initial=0.01, cap=0.01, max_attempts=3)


async def test_connect_returns_when_it_is_open_logged_in_and_subscribed(hand: Any) -> None:
    """By then the server has been sent the login and the subscriptions, in this order."""

    async def log_in(connection: Any) -> None:
        connection.send("login")

    async with RawServer(quiet) as server, hand(server.url, on_open=log_in, subscriptions=[{"op": 1}]) as client:
        assert client.is_connected and client.present_ws is not None
        assert [type(each) for each in client.told] == [Connecting, Opened, Subscribed]
        await until(lambda: len(server.peers[0].messages) == 2)
        assert [text for _, text in server.peers[0].messages] == [b"login", b'{"op":1}']


async def test_connect_again_is_a_fresh_connection(hand: Any) -> None:
    """After `close`, as often as one likes; while it is connected, `connect` does nothing."""
    async with RawServer(greet) as server, hand(server.url) as client:
        for number in (1, 2, 3):
            await client.connect()
            await client.connect()
            assert await client.receive(5.0) == {"n": number}
            await client.close()
            assert client.state is S.DISCONNECTED and client.is_recoverable
        assert len(server.peers) == 3
        assert client.stats.connects == 3 and client.stats.proactive_disconnects == 3


async def test_close_says_goodbye_and_waits_until_the_socket_is_gone(hand: Any) -> None:
    """A close frame with 1000, answered; when `close` returns nothing is open; twice is once."""
    async with RawServer(quiet) as server, hand(server.url) as client:
        await client.close()
        await hand.nothing_left()
        assert server.peers[0].of(CLOSE) == [b"\x03\xe8"]
        await asyncio.gather(client.close(), client.close())
        assert [each.reason for each in client.of(Closed)] == [DisconnectReason.USER_REQUESTED]


async def test_close_waits_for_a_dial_that_it_breaks_off(hand: Any) -> None:
    """Its socket is closed when `close` returns, and its task is over."""
    async with RawServer(hang) as server, hand(server.url, connect=False, open_timeout=None) as client:
        connecting = task(outcome(client.connect()))
        await until(lambda: server.peers)
        await client.close()
        assert [each for each in asyncio.all_tasks() if each.get_name() == "rxws dial"] == []
        assert isinstance(await connecting, NotConnected)


async def test_close_of_a_client_that_was_never_connected_is_nothing(hand: Any) -> None:
    """Nothing to end, nothing told."""
    async with hand("ws://127.0.0.1:9/", connect=False) as client:
        await client.close()
        assert client.told == [] and client.state is S.DISCONNECTED


@pytest.mark.parametrize("script", [hang, refuse, flap], ids=["dial", "back-off", "flapping"])
@pytest.mark.parametrize("verb", ["close", "force_close", "shutdown"])
async def test_what_ends_it_ends_a_connect_that_waits(hand: Any, script: Any, verb: str) -> None:
    """`connect` raises NotConnected, for nothing is connected; and nothing connects afterwards."""
    slow = {"retry": Backoff.fixed(3600.0)}
    async with RawServer(script) as server, hand(server.url, connect=False, open_timeout=60.0, **slow) as client:
        connecting = task(outcome(client.connect()))
        await until(lambda: server.peers if script is hang else client.of(Waiting))
        await getattr(client, verb)()
        assert isinstance(await connecting, NotConnected)
        assert client.state is (S.DISCONNECTED if verb == "close" else S.CLOSED)
        await hand.nothing_left()
        assert len(server.peers) == 1


async def test_force_close_needs_no_goodbye(hand: Any) -> None:
    """A server that reads nothing more delays it not by a turn, whatever close_timeout says."""
    async with RawServer(deaf) as server, hand(server.url, close_timeout=None) as client:
        await client.force_close()
        await turns(3)
        await hand.nothing_left()
        assert client.is_shutdown and client.is_dead and not client.is_recoverable
        assert client.state is S.CLOSED


async def test_force_close_cuts_what_close_waits_for(hand: Any) -> None:
    """`close` with no limit waits for a deaf server; `force_close` from another task ends that wait."""
    async with RawServer(deaf) as server, hand(server.url, close_timeout=None) as client:
        closing = task(client.close())
        await turns()
        assert client.state is S.CLOSING and not closing.done()
        await client.force_close()
        await closing


async def test_force_close_cuts_what_a_planned_end_left_behind(hand: Any) -> None:
    """Also while it is away: the old socket is still waiting for the server's close frame."""
    async with RawServer(deaf) as server, hand(server.url, close_timeout=None) as client:
        client.request_disconnect(reconnect_after=3600.0)
        await turns()
        await client.force_close()
        await hand.nothing_left()


async def test_force_close_within_on_open_ends_the_script(hand: Any) -> None:
    """The login is cancelled, the socket cut."""
    began, ended = asyncio.Event(), asyncio.Event()

    async def log_in(_: Any) -> None:
        began.set()
        try:
            await asyncio.sleep(3600)
        finally:
            ended.set()

    async with RawServer(quiet) as server, hand(server.url, connect=False, on_open=log_in) as client:
        connecting = task(outcome(client.connect()))
        await began.wait()
        await client.force_close()
        assert isinstance(await connecting, NotConnected)
        await ended.wait()
        await hand.nothing_left()


async def test_force_close_in_the_overlap_of_a_rotation_ends_both(hand: Any) -> None:
    """Two sockets are open; neither stays, and none takes over."""
    from rxws import Rotation

    rotation = Rotation(0.05, overlap=60.0)
    async with RawServer(quiet) as server, hand(server.url, rotate=rotation, idle_timeout=None) as client:
        await until(lambda: len(client.of(Opened)) == 2)
        await client.force_close()
        await hand.nothing_left()
        assert len(server.peers) == 2 and client.state is S.CLOSED


async def test_after_shutdown_it_stays_shut(hand: Any) -> None:
    """`connect` is refused by name, and the other verbs do nothing."""
    async with RawServer(quiet) as server, hand(server.url) as client:
        await client.shutdown()
        with pytest.raises(ConfigError, match="shut down"):
            await client.connect()
        client.kill()
        client.request_disconnect(0.0)
        client.schedule_reconnect(0.0)
        await client.close()
        await client.force_close()
        await turns()
        assert len(server.peers) == 1 and client.state is S.CLOSED


async def test_kill_is_a_loss_that_is_retried(hand: Any) -> None:
    """KILLED and reactive; the server sees the socket go without a close frame; the client comes back."""
    async with RawServer(greet) as server, hand(server.url) as client:
        assert await client.receive(5.0) == {"n": 1}
        client.kill()
        assert not client.is_connected
        assert await client.receive(5.0) == {"n": 2}
        await until(lambda: server.peers[0].ended)
        assert server.peers[0].of(CLOSE) == []
        (closed,) = client.of(Closed)
        assert closed.reason is DisconnectReason.KILLED and isinstance(closed.error, Killed)
        assert client.stats.reactive_disconnects == 1


async def test_kill_of_what_is_not_there_is_nothing(hand: Any) -> None:
    """Never connected, waiting, away or closed: no event, no change."""
    async with RawServer(quiet) as server, hand(server.url, connect=False) as client:
        client.kill()
        await client.connect()
        client.request_disconnect(reconnect_after=3600.0)
        told = len(client.told)
        client.kill()
        await client.close()
        client.kill()
        await turns()
        assert DisconnectReason.KILLED not in client.stats.reasons
        assert len(client.told) == told


async def test_kill_while_it_dials_breaks_the_dial_off(hand: Any) -> None:
    """As if the network had: the next attempt follows."""
    async with RawServer(hang, quiet) as server, hand(server.url, connect=False, open_timeout=60.0) as client:
        connecting = task(client.connect())
        await until(lambda: server.peers)
        client.kill()
        await connecting
        assert len(server.peers) == 2 and client.is_connected


async def test_what_no_attempt_can_cure_is_connects_error(hand: Any) -> None:
    """401: at once, and the client is dead but recoverable; each who asks hears of it."""
    async with RawServer(forbid, quiet) as server, hand(server.url, connect=False) as client:
        with pytest.raises(HandshakeRejected):
            await client.connect()
        for _ in range(2):
            with pytest.raises(HandshakeRejected):
                await client.wait_connected()
            with pytest.raises(HandshakeRejected):
                await client.receive()
            with pytest.raises(HandshakeRejected):
                [each async for each in client.stream()]
            with pytest.raises(NotConnected) as raised:
                await client.send("x")
            assert isinstance(raised.value.__cause__, HandshakeRejected)
        assert client.is_dead and client.is_recoverable and client.state is S.DISCONNECTED
        await client.connect()
        assert client.is_connected


async def test_an_error_that_is_raised_often_does_not_grow(hand: Any) -> None:
    """Its traceback holds the frames of the last raising only."""
    async with RawServer(forbid) as server, hand(server.url, connect=False) as client:
        await outcome(client.connect())
        depths = []
        for _ in range(3):
            for asked in (client.wait_connected, client.receive):
                error = await outcome(asked())
                step, depth = error.__traceback__, 0
                while step is not None:
                    step, depth = step.tb_next, depth + 1
                depths.append(depth)
        assert depths[0:2] == depths[2:4] == depths[4:6]


async def test_max_attempts_counts_exactly(hand: Any) -> None:
    """3: the server is dialled three times, and everybody who waits hears of it."""
    async with RawServer(refuse) as server, hand(server.url, connect=False, retry=FAST) as client:
        connecting = task(outcome(client.connect()))
        await turns(2)
        reading = task(outcome(anext(client.stream())))
        receiving = task(outcome(client.receive()))
        waiting = task(outcome(client.wait_connected()))
        ends = [await connecting, await reading, await receiving, await waiting]
        assert [type(each) for each in ends] == [RetriesExhausted] * 4
        assert len(server.peers) == 3
        assert (ends[0].in_a_row, ends[0].total) == (3, 3)


async def test_a_timeout_of_the_dial_is_a_loss_like_another(hand: Any) -> None:
    """Retried, and counted among the attempts."""
    dead_end = {"retry": FAST, "open_timeout": 0.05}
    async with RawServer(hang) as server, hand(server.url, connect=False, **dead_end) as client:
        error = await outcome(client.connect())
        assert isinstance(error, RetriesExhausted) and isinstance(error.__cause__, ConnectTimeout)
        assert len(server.peers) == 3 and client.state is S.DISCONNECTED
        assert isinstance(await outcome(client.connect()), RetriesExhausted)


async def test_auto_reconnect_false_makes_a_loss_the_end(hand: Any) -> None:
    """The loss itself is the error, nothing is dialled again; by hand it comes back."""
    async with RawServer(greet) as server, hand(server.url, auto_reconnect=False) as client:
        assert await client.receive(5.0) == {"n": 1}
        client.kill()
        with pytest.raises(Killed):
            await client.receive()
        assert client.is_recoverable and len(server.peers) == 1
        await client.connect()
        assert await client.receive(5.0) == {"n": 2}


async def test_a_final_close_code_completes_it(hand: Any) -> None:
    """The stream ends without an error, and `connect` begins anew."""

    async def final(peer: Peer) -> None:
        await peer.accept()
        peer.number()
        await peer.listen(messages=1)
        await peer.end(4001)

    async with RawServer(final, quiet) as server, hand(server.url, final_close_codes=[4001]) as client:
        await client.send("done")
        assert [each async for each in client.stream()] == [{"n": 1}]
        assert await client.wait_connected() is False
        await client.connect()
        assert client.is_connected


async def test_a_login_that_fails_is_tried_again_on_a_new_socket(hand: Any) -> None:
    """The one on which it failed is closed: the server has one at a time."""
    tries: list[int] = []

    async def log_in(connection: Any) -> None:
        tries.append(connection.generation)
        if len(tries) < 3:
            raise ValueError("wrong password")

    async with RawServer(quiet) as server, hand(server.url, on_open=log_in) as client:
        assert tries == [1, 2, 3] and client.is_connected
        await until(lambda: server.peers[0].ended and server.peers[1].ended)
        failures = [each.error for each in client.of(Closed)]
        assert all(isinstance(each, ConnectionFailed) and isinstance(each.__cause__, ValueError) for each in failures)


async def test_a_closed_client_tells_all_who_wait(hand: Any) -> None:
    """stream, stream_filter, receive, wait_connected and an async handler end; nobody waits for ever."""
    async with RawServer(quiet) as server, hand(server.url) as client:
        handled: list[Any] = []

        async def handler(value: Any) -> None:
            handled.append(value)

        client.add_handler(handler)
        stream = task(outcome(anext(client.stream(), "ended")))
        second = task(outcome(anext(client.stream(), "ended")))
        filtered = task(outcome(anext(client.stream_filter([{"e": 1}]), "ended")))
        received = task(outcome(client.receive()))
        await turns()
        await client.close()
        assert [await stream, await second, await filtered] == ["ended"] * 3
        assert isinstance(await received, NotConnected)
        assert await client.wait_connected() is False and await client.wait_disconnected() is True


async def test_aenter_cancelled_leaves_nothing(hand: Any) -> None:
    """`async with` under a timeout, against a server that does not answer: no socket, no task, no dial."""
    async with RawServer(hang) as server, hand(server.url, connect=False, open_timeout=60.0) as client:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05), client:
                raise AssertionError("never entered")
        await hand.nothing_left()
        assert client.state is S.DISCONNECTED and len(server.peers) == 1


async def test_a_cancelled_connect_takes_nothing_from_another(hand: Any) -> None:
    """Two tasks connect; one is cancelled; the other one is served. When the last is cancelled, the dial ends."""
    async with RawServer(hang, quiet) as server, hand(server.url, connect=False, open_timeout=60.0) as client:
        first, second = task(client.connect()), task(client.connect())
        await until(lambda: server.peers)
        first.cancel()
        await turns()
        assert client.state is S.CONNECTING
        client.kill()
        await second
        assert client.is_connected


async def test_a_connect_that_is_cancelled_when_it_was_connected_before_ends_nothing(hand: Any) -> None:
    """It is another one's connection, which comes back."""
    async with RawServer(quiet, hang, quiet) as server, hand(server.url, open_timeout=60.0) as client:
        client.kill()
        again = task(client.connect())
        await until(lambda: len(server.peers) == 2)
        again.cancel()
        await turns()
        assert client.state is S.CONNECTING


async def test_connect_where_no_loop_runs_is_told() -> None:
    """Outside of a coroutine there is no loop to connect on."""
    client: WebSocketClient[Any] = WebSocketClient("ws://127.0.0.1:9/")

    def stepped() -> None:
        client.connect().send(None)

    with pytest.raises(ConfigError, match="no event loop"):
        await asyncio.to_thread(stepped)


def test_a_client_outlives_the_loop_that_it_was_used_on() -> None:
    """A program that crashed without `close`, and runs again: nothing is there any more, and `connect` begins anew."""
    with Elsewhere(RawServer(greet)) as server:
        client: WebSocketClient[Any] = WebSocketClient(server.url, retry=Backoff.fixed(3600.0))

        async def crash() -> None:
            await client.connect()
            client.kill()
            assert client.state is S.RECONNECTING
            raise ValueError("a bug")

        async def look() -> tuple[Any, bool, bool]:
            said = client.state, client.is_connected, client.is_recoverable
            await client.close()
            client.kill()
            return said

        async def go_on() -> Any:
            async with client:
                return await client.receive(5.0)

        with pytest.raises(ValueError, match="a bug"):
            asyncio.run(crash())
        assert asyncio.run(look()) == (S.DISCONNECTED, False, True)
        assert asyncio.run(go_on())["n"] >= 1


async def test_two_clients_are_independent(hand: Any) -> None:
    """What happens to one is not seen by the other."""
    async with RawServer(greet) as server, hand(server.url) as one, hand(server.url) as other:
        one.kill()
        await one.wait_connected(5.0)
        await one.close()
        assert other.is_connected and other.stats.disconnects == 0
        assert await other.receive(5.0) == {"n": 2}
