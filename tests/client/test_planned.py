"""Planned ends by hand, the way back from them, and how they go with windows and callables."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from reactivex import Subject

from benchmarks.reliability.raw_server import RawServer
from rxws.errors import ConfigError
from rxws.events import Closed, Connecting, ConnectionState, DisconnectReason, Waiting
from tests.client.hand import greet, hang, quiet, refuse, task, turns, until

S, R = ConnectionState, DisconnectReason
FOREVER = 3600.0


async def test_request_disconnect_returns_at_once_and_comes_back(hand: Any) -> None:
    """The caller waits for nothing; the end is proactive, and the connection is back in its time."""
    async with RawServer(greet) as server, hand(server.url) as client:
        client.request_disconnect(reconnect_after=0.02)
        assert not client.is_connected and client.state is S.DISCONNECTED and not client.is_dead
        await client.wait_connected()
        assert [each.reason for each in client.of(Closed)] == [R.SCHEDULED]
        assert client.stats.proactive_disconnects == 1 and client.stats.reactive_disconnects == 0
        (waiting,) = client.of(Waiting)
        assert (waiting.seconds, waiting.rule) == (0.02, "by hand")


async def test_request_disconnect_without_a_way_back_waits_for_the_hand(hand: Any) -> None:
    """It is dead and recoverable, and `connect` brings it back."""
    async with RawServer(quiet) as server, hand(server.url) as client:
        client.request_disconnect()
        assert client.is_dead and client.is_recoverable and client.state is S.DISCONNECTED
        await turns(50)
        assert len(server.peers) == 1
        await client.connect()
        assert client.is_connected and not client.is_dead


async def test_the_reason_is_the_callers(hand: Any) -> None:
    """Whichever proactive one; USER_REQUESTED too leads back, where that is asked for."""
    async with RawServer(quiet) as server, hand(server.url) as client:
        for reason in R:
            if reason.is_reactive:
                with pytest.raises(ConfigError, match="reason"):
                    client.request_disconnect(0.0, reason)
                continue
            client.request_disconnect(0.0, reason)
            assert client.state is S.DISCONNECTED
            await client.wait_connected()
            assert client.state is S.CONNECTED and client.of(Closed)[-1].reason is reason


@pytest.mark.parametrize("delay", [-1, float("nan"), "1", True])
async def test_a_delay_that_is_none_is_refused(hand: Any, delay: Any) -> None:
    """By name, and nothing happens."""
    async with RawServer(quiet) as server, hand(server.url) as client:
        with pytest.raises(ConfigError, match="reconnect_after"):
            client.request_disconnect(delay)
        with pytest.raises(ConfigError, match="delay"):
            client.schedule_reconnect(delay)
        assert client.is_connected


async def test_schedule_reconnect_before_and_after(hand: Any) -> None:
    """Said while connected it holds for the next planned end, once; said while away it holds from now."""
    async with RawServer(quiet) as server, hand(server.url) as client:
        client.schedule_reconnect(0.01)
        client.request_disconnect()
        await client.wait_connected()
        client.request_disconnect()
        await turns(50)
        assert client.is_dead
        client.schedule_reconnect(0.01)
        assert not client.is_dead
        await client.wait_connected()
        assert len(server.peers) == 3


async def test_what_is_said_last_holds(hand: Any) -> None:
    """Away for an hour, then for no time; away for no time, then until somebody calls; a request while away."""
    async with RawServer(quiet) as server, hand(server.url) as client:
        client.request_disconnect(FOREVER)
        client.request_disconnect(0.0)
        await client.wait_connected()
        client.request_disconnect(0.01)
        client.request_disconnect()
        await asyncio.sleep(0.03)
        assert client.is_dead and len(server.peers) == 2
        client.schedule_reconnect(FOREVER)
        assert not client.is_dead
        client.schedule_reconnect(0.0)
        await client.wait_connected()


async def test_a_request_while_it_is_away_is_no_memory_for_the_next_end(hand: Any) -> None:
    """The end after that is the stream's own, and its way back is too."""
    ticks: Subject[None] = Subject()
    plan = {"disconnect_when": ticks, "check_interval": 0.01}
    async with RawServer(quiet) as server, hand(server.url, **plan) as client:
        ticks.on_next(None)
        assert not client.is_connected
        client.request_disconnect(0.0)
        await client.wait_connected()
        ticks.on_next(None)
        assert not client.is_dead
        await client.wait_connected()
        assert len(server.peers) == 3


async def test_connect_does_not_wait_for_the_way_back(hand: Any) -> None:
    """Away for an hour; who calls `connect` wants it now."""
    async with RawServer(quiet) as server, hand(server.url) as client:
        client.request_disconnect(FOREVER)
        await client.connect()
        assert client.is_connected


async def test_a_planned_end_cuts_a_dial_and_a_back_off(hand: Any) -> None:
    """Nothing is dialled for it any more; it comes back when it was told to."""
    async with RawServer(hang, refuse, quiet) as server, hand(server.url, connect=False, open_timeout=60.0) as client:
        connecting = task(client.connect())
        await until(lambda: server.peers)
        client.request_disconnect(0.0)
        await until(lambda: len(server.peers) == 2 and client.state is S.RECONNECTING)
        client.request_disconnect(0.0)
        await connecting
        assert client.is_connected


async def test_reconnect_when_decides_where_the_hand_says_nothing(hand: Any) -> None:
    """By hand without a delay: the callable is asked; with one, it is not."""
    wanted, asked = False, 0

    def reconnect_when() -> bool:
        nonlocal asked
        asked += 1
        return wanted

    plan = {"reconnect_when": reconnect_when, "check_interval": 0.01}
    async with RawServer(quiet) as server, hand(server.url, **plan) as client:
        client.request_disconnect()
        assert not client.is_dead
        await until(lambda: asked > 2)
        assert not client.is_connected
        wanted = True
        await client.wait_connected()
        before = asked
        client.request_disconnect(0.0)
        await client.wait_connected()
        assert asked == before


async def test_a_closed_window_holds_whatever_the_hand_says(hand: Any) -> None:
    """connect, schedule_reconnect, reconnect_after: none of them dials outside of connect_while."""
    is_open: Subject[bool] = Subject()
    async with RawServer(quiet) as server, hand(server.url, connect=False, connect_while=is_open) as client:
        connecting = task(client.connect())
        await turns(50)
        assert client.told == [] or not client.of(Connecting)
        is_open.on_next(True)
        await connecting
        is_open.on_next(False)
        assert not client.is_connected and not client.is_dead
        client.schedule_reconnect(0.0)
        again = task(client.connect())
        await turns(50)
        assert len(server.peers) == 1 and not again.done()
        is_open.on_next(True)
        await again
        client.request_disconnect()
        await client.wait_connected()
        assert [each.reason for each in client.of(Closed)] == [R.SCHEDULED, R.SCHEDULED]


async def test_callables_may_be_async_and_their_ends_are_told(hand: Any) -> None:
    """disconnect_when, an async callable: CALLBACK_TRIGGERED; the way back: an async reconnect_when with a number."""
    leave = False

    async def disconnect_when() -> bool:
        await asyncio.sleep(0)
        return leave

    async def reconnect_when() -> float:
        nonlocal leave
        await asyncio.sleep(0)
        leave = False
        return 0.01

    plan = {"disconnect_when": disconnect_when, "reconnect_when": reconnect_when, "check_interval": 0.01}
    async with RawServer(quiet) as server, hand(server.url, **plan) as client:
        leave = True
        await client.wait_disconnected()
        await client.wait_connected()
        assert [each.reason for each in client.of(Closed)] == [R.CALLBACK_TRIGGERED]


async def test_no_automatic_retry_is_no_automatic_stay_away(hand: Any) -> None:
    """auto_reconnect=False is about losses; a planned end leads back as planned."""
    plan = {"auto_reconnect": False, "reconnect_when": lambda: True, "check_interval": 0.01}
    async with RawServer(quiet) as server, hand(server.url, **plan) as client:
        client.request_disconnect()
        await client.wait_connected()
        assert len(server.peers) == 2


@pytest.mark.parametrize("verb", ["close", "force_close"])
@pytest.mark.parametrize("way", ["by hand", "timer", "callable", "async callable", "window", "observable"])
async def test_it_can_be_ended_while_it_is_away(hand: Any, verb: str, way: str) -> None:
    """Whatever it waits for: those who read hear of the end, nothing is left, nothing is dialled."""

    async def never() -> bool:
        await asyncio.sleep(FOREVER)
        return True

    plans: dict[str, Any] = {
        "callable": {"reconnect_when": lambda: False},
        "async callable": {"reconnect_when": never},
        "observable": {"reconnect_when": Subject()},
        "window": {"connect_while": (is_open := Subject())},
    }
    async with RawServer(quiet) as server, hand(server.url, connect=False, **plans.get(way, {})) as client:
        connecting = task(client.connect())
        await turns()
        is_open.on_next(True)
        await connecting
        reading = task(anext(client.stream(), "ended"))
        if way == "window":
            is_open.on_next(False)
        else:
            client.request_disconnect(FOREVER if way == "timer" else None)
        await turns()
        assert not client.is_connected
        await getattr(client, verb)()
        assert await reading == "ended"
        await hand.nothing_left()
        assert len(server.peers) == 1


@pytest.mark.parametrize("verb", ["close", "force_close"])
async def test_it_can_be_ended_while_a_gate_is_asked(hand: Any, verb: str) -> None:
    """An async connect_while that has not answered: no dial, and the question is cancelled."""
    asked = asyncio.Event()

    async def connect_while() -> bool:
        asked.set()
        await asyncio.sleep(FOREVER)
        return True

    async with RawServer(quiet) as server, hand(server.url, connect=False, connect_while=connect_while) as client:
        connecting = task(client.connect())
        await asked.wait()
        client.kill()
        await getattr(client, verb)()
        await asyncio.wait([connecting])
        assert connecting.exception() is not None
        await hand.nothing_left()
        assert server.peers == []


async def test_a_request_while_a_gate_is_asked_is_kept(hand: Any) -> None:
    """It is away then, and comes back to the same gate."""
    answers = [asyncio.Event(), asyncio.Event()]
    asked = 0

    async def connect_while() -> bool:
        nonlocal asked
        asked += 1
        await answers[min(asked, 2) - 1].wait()
        return True

    async with RawServer(quiet) as server, hand(server.url, connect=False, connect_while=connect_while) as client:
        connecting = task(client.connect())
        await until(lambda: asked == 1)
        client.request_disconnect(0.0)
        await until(lambda: asked == 2)
        answers[1].set()
        await connecting
        assert client.is_connected and len(server.peers) == 1
