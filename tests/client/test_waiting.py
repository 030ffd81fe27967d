"""wait_connected, wait_disconnected, wait_for_reconnect_window, and cancellation of whoever waits."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest
import reactivex as rx
from reactivex import Subject

from benchmarks.reliability.raw_server import CLOSE, Peer, RawServer, frame
from rxws.errors import ConfigError
from tests.client.hand import hang, quiet, task, turns, until


async def test_wait_connected_and_wait_disconnected_follow_the_connection(hand: Any) -> None:
    """Each returns True at once where it is so already."""
    async with RawServer(quiet) as server, hand(server.url, connect=False) as client:
        assert await client.wait_disconnected() is True
        assert await client.wait_connected() is False, "nothing is coming"
        await client.connect()
        assert await client.wait_connected() is True
        gone = task(client.wait_disconnected())
        await turns()
        assert not gone.done()
        client.kill()
        assert await gone is True
        assert await client.wait_connected(5.0) is True


async def test_a_wait_that_takes_too_long_says_so(hand: Any) -> None:
    """False, and nothing else happens; 0 asks without waiting."""
    async with RawServer(quiet) as server, hand(server.url) as client:
        assert await client.wait_disconnected(0.01) is False
        assert await client.wait_disconnected(0) is False
        assert await client.wait_connected(0) is True
        client.request_disconnect()
        assert await client.wait_connected(0.01) is False
        assert await client.wait_disconnected(0) is True


@pytest.mark.parametrize("bad", [-1, "1", True])
async def test_what_is_no_timeout_is_refused(hand: Any, bad: Any) -> None:
    """By every verb that has one, by name, and before it does anything; 0 is one."""
    async with RawServer(quiet) as server, hand(server.url) as client:
        for verb in (
            client.wait_connected,
            client.wait_disconnected,
            client.wait_for_reconnect_window,
            client.receive,
            partial(client.request, {}),
        ):
            with pytest.raises(ConfigError, match="take seconds, 0 or more, or None for no limit") as refused:
                await verb(timeout=bad)
            assert refused.value.field == "timeout"
        assert client.stats.messages_sent == 0


async def test_connected_is_connected_when_the_wait_returns(hand: Any) -> None:
    """A connection that is gone again by the time that the waiting task runs is none."""

    async def close_at_once(peer: Peer) -> None:
        await peer.accept(frame(CLOSE, b"\x03\xe8"))
        await peer.listen()

    async with RawServer(close_at_once, close_at_once, quiet) as server, hand(server.url, connect=False) as client:
        await client.connect()
        assert client.is_connected
        assert len(server.peers) == 3


@pytest.mark.parametrize("verb", ["connect", "wait_connected", "wait_disconnected", "receive", "stream", "window"])
async def test_cancellation_is_cancellation(hand: Any, verb: str) -> None:
    """Whoever waits gets CancelledError, and nothing of the wait is left."""
    script = hang if verb in ("connect", "wait_connected") else quiet
    async with RawServer(script) as server, hand(server.url, connect=False, open_timeout=60.0) as client:
        if script is quiet:
            await client.connect()
        waits = {
            "connect": client.connect,
            "wait_connected": client.wait_connected,
            "wait_disconnected": client.wait_disconnected,
            "receive": client.receive,
            "stream": lambda: anext(client.stream()),
            "window": lambda: client.wait_for_reconnect_window(lambda: False),
        }
        dialling = None if script is quiet or verb == "connect" else task(client.connect())
        await turns()
        waiting = asyncio.ensure_future(waits[verb]())
        await turns()
        waiting.cancel()
        await asyncio.wait([waiting])
        assert waiting.cancelled()
        if dialling is not None:
            dialling.cancel()
            await asyncio.wait([dialling])


async def test_a_cancelled_reader_costs_no_value(hand: Any) -> None:
    """What came at the moment of the cancellation is the next one's."""
    async with RawServer(quiet) as server, hand(server.url) as client:
        reading = task(client.receive())
        await turns()
        server.peers[0].number()
        await until(lambda: client.stats.messages_received)
        reading.cancel()
        await asyncio.wait([reading])
        if reading.cancelled():
            assert await client.receive(5.0) == {"n": 1}
        else:
            assert reading.result() == {"n": 1}


class Truth:
    """True as numpy's bool is: no bool, and no number."""

    def __init__(self, value: bool) -> None:
        self._value = value

    def __bool__(self) -> bool:
        return self._value


async def test_the_window_is_open_when_the_callable_says_so(hand: Any) -> None:
    """True, a truth like numpy's, a number of seconds, and any of them from an async callable."""
    async with hand("ws://127.0.0.1:9/", connect=False, check_interval=0.01) as client:
        for answer in (True, Truth(True), 0.01, "yes"):

            async def later(answer: object = answer) -> object:
                await asyncio.sleep(0)
                return answer

            assert await client.wait_for_reconnect_window(lambda answer=answer: answer, 5.0) is True
            assert await client.wait_for_reconnect_window(later, 5.0) is True


async def test_the_window_is_waited_for(hand: Any) -> None:
    """False, None, 0 and a false truth: asked again after check_interval, until the time is over."""
    async with hand("ws://127.0.0.1:9/", connect=False, check_interval=0.005) as client:
        for answer in (False, None, 0, Truth(False)):
            asked = 0

            def ask(answer: object = answer) -> object:
                nonlocal asked
                asked += 1
                return answer if asked < 3 else True

            assert await client.wait_for_reconnect_window(lambda answer=answer: answer, 0.02) is False
            assert await client.wait_for_reconnect_window(ask, 5.0) is True
            assert asked == 3
        assert await client.wait_for_reconnect_window(lambda: 3600.0, 0.01) is False


async def test_a_callable_that_raises_changes_nothing_and_is_logged_once(
    hand: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Asked again after check_interval; one line for all of its failures."""
    asked = 0

    def ask() -> bool:
        nonlocal asked
        asked += 1
        if asked < 4:
            raise ValueError("no idea")
        return True

    async with hand("ws://127.0.0.1:9/", connect=False, check_interval=0.005) as client:
        assert await client.wait_for_reconnect_window(ask, 5.0) is True
    assert len([each for each in caplog.records if "no idea" in each.getMessage()]) == 1


async def test_what_is_no_callable_is_refused(hand: Any) -> None:
    """By name."""
    async with hand("ws://127.0.0.1:9/", connect=False) as client:
        with pytest.raises(ConfigError, match="should_reconnect"):
            await client.wait_for_reconnect_window(True)


async def test_without_a_callable_the_clients_own_plans_are_asked(hand: Any) -> None:
    """None: now. connect_while, disconnect_when and reconnect_when: when all of them want a connection."""
    url = "ws://127.0.0.1:9/"
    async with hand(url, connect=False) as client:
        assert await client.wait_for_reconnect_window() is True
    level: Subject[bool] = Subject()
    async with hand(url, connect=False, connect_while=level) as client:
        waiting = task(client.wait_for_reconnect_window())
        await turns()
        assert not waiting.done()
        level.on_next(True)
        assert await waiting is True
        assert level.observers == []
    answers = {"while": True, "leave": False, "back": True}
    plans = {
        "connect_while": lambda: answers["while"],
        "disconnect_when": lambda: answers["leave"],
        "reconnect_when": lambda: answers["back"],
    }
    async with hand(url, connect=False, check_interval=0.005, **plans) as client:
        assert await client.wait_for_reconnect_window(5.0 and None, 5.0) is True
        for name, against in (("while", False), ("leave", True), ("back", False)):
            answers[name] = against
            assert await client.wait_for_reconnect_window(timeout=0.02) is False
            answers[name] = not against
    for way, expected in ((rx.empty(), False), (rx.of(1), True)):
        async with hand(url, connect=False, reconnect_when=way) as client:
            assert await client.wait_for_reconnect_window(timeout=5.0) is expected
