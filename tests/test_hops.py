"""What a message calls on its way from the read callback to the subscriber, counted: each of these is paid for it."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

import msgspec
import pytest
import reactivex

import rxws
from rxws import Stats, ws_observable
from rxws.decoding import json_decimals
from rxws.events import Event
from tests.transport.raw_server import PATIENCE, TEXT, RawServer, frame

COUNT = 4_000
OURS = [Path(each).parent for each in (rxws.__file__, reactivex.__file__ or "")]


class Value(msgspec.Struct):
    n: int


async def called(server: RawServer, **settings: Any) -> dict[str, float]:
    """Return the Python functions of rxws and reactivex that are called once a message or more, by name."""
    counts: Counter[str] = Counter()
    done, stats = asyncio.Event(), Stats()

    def profile(frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and any(Path(frame.f_code.co_filename).is_relative_to(each) for each in OURS):
            counts[frame.f_code.co_qualname.rsplit(".", 1)[-1]] += 1

    def last(value: Any) -> None:
        if not isinstance(value, Event) and f"{COUNT - 1}" in str(value):  # an event's port or time may have it too
            done.set()

    stream = ws_observable(server.url, stats=stats, idle_timeout=30.0, **{"decode": Value, **settings})
    subscription = stream.subscribe(last)
    peer = await (await server.accepted()).upgrade()
    while not stats.connects:
        await asyncio.sleep(0)
    await peer.write_much(frame(TEXT, b'{"n":0}'))  # the first says that it is live
    while not stats.messages_received:
        await asyncio.sleep(0)
    sys.setprofile(profile)
    try:
        await peer.write_much(b"".join(frame(TEXT, b'{"n":%d}' % n) for n in range(1, COUNT)))
        async with asyncio.timeout(PATIENCE):
            await done.wait()
    finally:
        sys.setprofile(None)
    subscription.dispose()
    return {name: round(count / COUNT) for name, count in counts.items() if count > COUNT * 0.5}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A raw server on loopback, and no proxy of the machine's."""
    monkeypatch.setenv("no_proxy", "*")
    server = RawServer()
    yield server
    server.close()


@pytest.mark.parametrize("transport", ["websockets", "picows"])
async def test_a_message_makes_two_calls(server: RawServer, transport: str) -> None:
    """The transport's, which knows a whole message from all else, and the decoding one, which counts and guards.

    The subscriber's own `on_next` is called by that one: no operator of the pipeline stands between.
    """
    assert await called(server, transport=transport, compression=None) == {"push": 1, "decoding": 1}


@pytest.mark.parametrize("transport", ["websockets", "picows"])
async def test_a_message_of_a_list_makes_two_calls_and_none_of_the_subscribers(
    server: RawServer, transport: str
) -> None:
    """The second only gathers: what decodes is called once a list."""
    assert await called(server, transport=transport, compression=None, batch=True) == {"push": 1, "collect": 1}


async def test_a_message_that_is_not_kept_makes_two_calls_and_that_of_keep(server: RawServer) -> None:
    """`keep` is the user's own."""
    settings: dict[str, Any] = {"transport": "picows", "keep": lambda payload: payload == b'{"n":%d}' % (COUNT - 1)}
    assert await called(server, **settings) == {"push": 1, "collect": 1}


@pytest.mark.parametrize("decode", [Value | None, dict[str, int], None, json_decimals])
async def test_whatever_is_no_function_of_the_users_makes_two_calls(server: RawServer, decode: Any) -> None:
    """Types of every kind, raw messages, and what rxws itself decodes by."""
    assert await called(server, transport="picows", decode=decode) == {"push": 1, "decoding": 1}


async def test_who_is_asked_what_is_data_costs_five_calls(server: RawServer) -> None:
    """docs/speed.md says what each is for."""
    names = ["push", "receive", "checked", "_go_on", "sink"]
    assert await called(server, transport="picows", is_data=bool) == dict.fromkeys(names, 1)


async def test_a_function_that_decodes_costs_reactivexs_observer(server: RawServer) -> None:
    """It is the user's, and may dispose."""
    assert await called(server, transport="picows", decode=msgspec.json.decode) == {
        "push": 1,
        "decoding": 1,
        "on_next": 1,
    }


async def test_events_in_the_stream_cost_reactivexs_observer(server: RawServer) -> None:
    """They are told also by what has been disposed."""
    assert await called(server, transport="picows", lifecycle=True) == {"push": 1, "decoding": 1, "on_next": 1}
