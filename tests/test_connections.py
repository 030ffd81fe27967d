"""`connections`: fresh connections, one after another, for a loop that does everything else by hand."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest
import reactivex as rx
from reactivex import Subject

from benchmarks.reliability.raw_server import CLOSE, Peer, RawServer
from rxws import Backoff, Stats, connections
from rxws.errors import (
    BufferOverflow,
    ConfigError,
    ConnectionClosed,
    ConnectionFailed,
    Disconnected,
    HandshakeRejected,
    RetriesExhausted,
)
from rxws.events import Closed, Connecting, GaveUp, Live, Opened, Waiting
from rxws.testing import Leftovers
from tests.client.hand import echo, flap, forbid, greet, hang, quiet, refuse, task, turns, until

PLAIN = Backoff(initial=0.001, factor=2.0, cap=1.0, jitter="none")
FOREVER = Backoff.fixed(3600.0)


def waits(told: list[Any]) -> list[float]:
    """How long was waited, each time."""
    return [each.seconds for each in told if isinstance(each, Waiting)]


async def test_each_step_is_a_fresh_connection() -> None:
    """Send, iterate, and go on with the next one when it has ended; `error` says by what."""

    async def once(peer: Peer) -> None:
        await peer.accept()
        await peer.listen(messages=1)
        peer.number()
        await peer.end(1001)

    seen, errors = [], []
    async with RawServer(once) as server:
        async with aclosing(connections(server.url, retry=PLAIN)) as fresh:
            async for connection in fresh:
                connection.send({"op": "subscribe"})
                seen += [message async for message in connection]
                errors.append(connection.error)
                if len(seen) == 3:
                    break
        assert seen == ['{"n":1}', '{"n":2}', '{"n":3}']
        assert [each.code for each in errors if isinstance(each, ConnectionClosed)] == [1001, 1001, 1001]
        with pytest.raises(Disconnected):
            connection.send("x")


async def leave_at_once(url: str, count: int, **options: Any) -> None:
    """A body that does nothing."""
    async with aclosing(connections(url, **options)) as fresh:
        async for _ in fresh:
            count -= 1
            if not count:
                return


async def raise_at_once(url: str, count: int, **options: Any) -> None:
    """A body that fails each time, and is caught by who wrote it."""
    async with aclosing(connections(url, **options)) as fresh:
        async for _ in fresh:
            try:
                raise ValueError("a bug in the body")
            except ValueError:
                count -= 1
                if not count:
                    return


async def read_on(url: str, count: int, **options: Any) -> None:
    """A body that reads until the server closes."""
    async with aclosing(connections(url, **options)) as fresh:
        async for connection in fresh:
            async for _ in connection:
                pass
            count -= 1
            if not count:
                return


@pytest.mark.parametrize(("body", "script"), [(leave_at_once, quiet), (raise_at_once, quiet), (read_on, flap)])
async def test_the_back_off_grows_whatever_the_body_does(body: Any, script: Any) -> None:
    """Left early, raised at once, closed by the server at once: never a storm."""
    told: list[Any] = []
    async with RawServer(script) as server:
        await body(server.url, 5, retry=PLAIN, events=told.append)
        assert waits(told) == [0.001, 0.002, 0.004, 0.008]
        assert len(server.peers) == 5


async def test_a_connection_that_has_proved_itself_begins_the_back_off_anew() -> None:
    """By `stable_after` seconds of uptime, whether it was lost or left."""
    told: list[Any] = []
    retry = Backoff(initial=0.001, cap=1.0, jitter="none", stable_after=0.05)
    async with RawServer(greet) as server, aclosing(connections(server.url, retry=retry, events=told.append)) as fresh:
        count = 0
        async for _ in fresh:
            count += 1
            if count == 4:
                await asyncio.sleep(0.06)
            if count == 6:
                break
    assert waits(told) == [0.001, 0.002, 0.004, 0.001, 0.002]


async def test_failed_dials_are_waited_out_and_counted() -> None:
    """The loop's body sees the good ones only; events and stats tell of all."""
    told: list[Any] = []
    stats = Stats()
    async with (
        RawServer(refuse, refuse, greet) as server,
        aclosing(connections(server.url, retry=PLAIN, events=told.append, stats=stats)) as fresh,
    ):
        async for connection in fresh:
            assert await anext(connection) == '{"n":1}'
            break
    dial = [Connecting, Closed, Waiting]
    assert [type(each) for each in told] == [*dial, *dial, Connecting, Opened, Live, Closed]
    assert (stats.connects, stats.messages_received) == (1, 1)


async def test_a_policy_that_gives_up_raises() -> None:
    """RetriesExhausted from the last error, after exactly so many dials."""
    told: list[Any] = []
    retry = Backoff(initial=0.001, cap=0.001, max_attempts=3)
    async with RawServer(refuse) as server:
        with pytest.raises(RetriesExhausted) as raised:
            await anext(connections(server.url, retry=retry, events=told.append))
        assert isinstance(raised.value.__cause__, HandshakeRejected)
        assert len(server.peers) == 3 and isinstance(told[-1], GaveUp)


async def test_without_a_policy_the_first_loss_is_the_last() -> None:
    """retry=None."""
    async with RawServer(flap) as server:
        fresh = connections(server.url, retry=None)
        assert [message async for message in await anext(fresh)] == []
        with pytest.raises(ConnectionClosed):
            await anext(fresh)
        assert len(server.peers) == 1


async def test_what_no_attempt_can_cure_raises_at_once() -> None:
    """401, and a URL that a callable gives and that is none."""
    async with RawServer(forbid) as server:
        with pytest.raises(HandshakeRejected):
            await anext(connections(server.url, retry=PLAIN))
        assert len(server.peers) == 1
    with pytest.raises(ConfigError):
        await anext(connections(lambda: "http://127.0.0.1:9/", retry=PLAIN))


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"url": "http://127.0.0.1/"}, "url"),
        ({"retry": 3}, "retry"),
        ({"retry": Backoff}, "retry"),
        ({"maxsize": 0}, "maxsize"),
        ({"overflow": "block"}, "overflow"),
        ({"stats": 1}, "stats"),
        ({"events": 1}, "events"),
        ({"random": None}, "random"),
        ({"ping_interval": -1}, "ping_interval"),
        ({"idle_timeout": 3}, "idle_timeout"),
    ],
)
def test_a_wrong_argument_is_refused_where_it_is_written(arguments: Any, field: str) -> None:
    """Not at the first step, perhaps weeks later."""
    with pytest.raises(ConfigError, match=field):
        connections(**{"url": "ws://127.0.0.1:9/", **arguments})


async def test_retry_after_is_kept() -> None:
    """The server's own wish is a floor under the policy."""
    told: list[Any] = []
    busy = lambda peer: peer.refuse(b"429 Too Many Requests", b"Retry-After: 3600")  # noqa: E731
    async with RawServer(busy) as server:
        stepping = task(anext(connections(server.url, retry=PLAIN, events=told.append)))
        await until(lambda: waits(told))
        assert told[-1].rule == "retry after" and waits(told) == [3600.0]
        stepping.cancel()
        await asyncio.wait([stepping])


async def test_a_policy_may_answer_with_an_observable() -> None:
    """Its first value means now; one that ends without a value ends the iteration; its error is raised."""
    gate: Subject[int] = Subject()
    answers = iter([gate, rx.timer(0.001), rx.empty()])
    async with RawServer(flap) as server, aclosing(connections(server.url, retry=lambda _: next(answers))) as fresh:
        await anext(fresh)
        second = task(anext(fresh))
        await until(lambda: gate.observers)
        assert len(server.peers) == 1
        gate.on_next(1)
        await second
        assert gate.observers == []
        await anext(fresh)
        assert len(server.peers) == 3
        assert [each async for each in fresh] == []
        assert len(server.peers) == 3
    async with RawServer(flap) as server:
        broken = connections(server.url, retry=lambda _: rx.throw(ValueError("no policy")))
        await anext(broken)
        with pytest.raises(ValueError, match="no policy"):
            await anext(broken)


@pytest.mark.parametrize("moment", ["dial", "open", "waiting"])
@pytest.mark.parametrize("end", ["cancel", "aclose"])
async def test_it_can_be_left_at_every_moment(moment: str, end: str) -> None:
    """Cancelled or closed: the socket goes, with a goodbye where it was open, and nothing is left."""
    script = {"dial": hang, "open": greet, "waiting": refuse}[moment]
    told: list[Any] = []
    async with RawServer(script) as server:
        with Leftovers() as leftovers:
            fresh = connections(server.url, retry=FOREVER, open_timeout=60.0, events=told.append)
            entered = asyncio.Event()

            async def loop() -> None:
                async with aclosing(fresh):
                    async for connection in fresh:
                        entered.set()
                        async for _ in connection:
                            if end == "aclose":
                                return

            looping = leftovers.as_client(task, loop())
            await until({"dial": lambda: server.peers, "open": entered.is_set, "waiting": lambda: waits(told)}[moment])
            if end == "cancel" or moment != "open":
                looping.cancel()
            await asyncio.wait([looping])
            assert looping.cancelled() is (end == "cancel" or moment != "open")
            await until(lambda: not leftovers.found(), 2.0)
            if moment == "open":
                assert server.peers[0].of(CLOSE) == [b"\x03\xe8"]
            await turns()
            assert len(server.peers) == 1


async def test_a_body_that_raises_and_nobody_catches_closes_the_socket() -> None:
    """Under `aclosing` at once; without it when the iteration is dropped."""
    async with RawServer(greet) as server:
        with pytest.raises(ValueError, match="a bug"):
            async with aclosing(connections(server.url)) as fresh:
                async for _ in fresh:
                    raise ValueError("a bug")
        await until(lambda: server.peers[0].ended)

        async def careless() -> None:
            async for _ in connections(server.url):
                raise ValueError("a bug")

        with pytest.raises(ValueError, match="a bug"):
            await careless()
        await until(lambda: server.peers[1].ended)


async def test_who_reads_too_slowly_hears_of_it_or_loses_as_asked() -> None:
    """The bound and the policy are the caller's."""

    async def burst(peer: Peer) -> None:
        await peer.accept()
        peer.number(10)
        await peer.end()

    async with RawServer(burst) as server:
        async with aclosing(connections(server.url, maxsize=3)) as fresh:
            connection = await anext(fresh)
            await until(lambda: connection.error)
            seen = []
            with pytest.raises(BufferOverflow):
                async for message in connection:
                    seen.append(message)
            assert len(seen) == 3
        async with aclosing(connections(server.url, maxsize=3, overflow="drop_oldest")) as fresh:
            connection = await anext(fresh)
            await until(lambda: connection.error)
            assert [message async for message in connection] == ['{"n":18}', '{"n":19}', '{"n":20}']


async def test_a_dial_that_fails_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Not silent: once a minute, without secrets."""
    retry = Backoff(initial=0.001, cap=0.001, max_attempts=5)
    with pytest.raises(RetriesExhausted) as raised:
        await anext(connections("ws://127.0.0.1:9/?token=abc", retry=retry))
    assert isinstance(raised.value.__cause__, ConnectionFailed)
    assert len(caplog.records) == 1 and "abc" not in caplog.text


async def test_requests_and_replies_by_hand() -> None:
    """The article's own example: a JSON-RPC call on each fresh connection."""
    async with RawServer(echo) as server:
        async for connection in connections(server.url):
            connection.send({"jsonrpc": "2.0", "id": 1, "method": "public/ticker"})
            assert await anext(connection) == '{"jsonrpc":"2.0","id":1,"method":"public/ticker"}'
            break
