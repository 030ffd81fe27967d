"""add_handler: sync and async functions of each value, that hurt nobody else."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest

from benchmarks.reliability.raw_server import RawServer
from rxws.errors import BufferOverflow, ConfigError
from rxws.events import Overflow
from tests.client.hand import greet, quiet, turns, until


async def test_handlers_get_each_value_before_and_after_connect(hand: Any) -> None:
    """Sync ones at once, async ones in turn; each all of them, from when it was added."""
    early: list[int] = []
    late: list[int] = []
    awaited: list[int] = []

    async def slow(value: Any) -> None:
        await asyncio.sleep(0)
        awaited.append(value["n"])

    async with RawServer(quiet) as server, hand(server.url, connect=False) as client:
        client.add_handler(lambda value: early.append(value["n"]))
        client.add_handler(slow)
        await client.connect()
        server.peers[0].number(3)
        await until(lambda: len(early) == 3)
        client.add_handler(lambda value: late.append(value["n"]))
        server.peers[0].number(2)
        await until(lambda: len(awaited) == 5)
        assert early == awaited == [1, 2, 3, 4, 5] and late == [4, 5]


async def test_handlers_stay_over_losses_and_from_one_connect_to_the_next(hand: Any) -> None:
    """A reconnect, and a `close` with a `connect` behind it."""
    seen: list[int] = []
    async with RawServer(greet) as server, hand(server.url, connect=False) as client:
        client.add_handler(lambda value: seen.append(value["n"]))
        await client.connect()
        await until(lambda: seen == [1])
        client.kill()
        await until(lambda: seen == [1, 2])
        await client.close()
        await client.connect()
        await until(lambda: seen == [1, 2, 3])


async def test_a_removed_handler_is_called_no_more(hand: Any) -> None:
    """Also by itself, also twice; one that waits for something is cancelled, unless it is the one that says so."""
    seen: list[Any] = []
    async with RawServer(quiet) as server, hand(server.url, connect=False) as client:

        def once(value: Any) -> None:
            seen.append(("once", value["n"]))
            remove_once()

        async def once_async(value: Any) -> None:
            remove_async()
            await asyncio.sleep(0)
            seen.append(("async", value["n"]))

        async def stuck(value: Any) -> None:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                seen.append(("cancelled", value["n"]))
                raise

        remove_once, remove_async = client.add_handler(once), client.add_handler(once_async)
        remove_stuck = client.add_handler(stuck)
        await client.connect()
        server.peers[0].number(2)
        await until(lambda: client.stats.messages_received == 2)
        await turns()
        remove_stuck()
        remove_stuck()
        await turns()
        assert sorted(seen) == [("async", 1), ("cancelled", 1), ("once", 1)]


async def test_a_slow_handler_delays_nobody(hand: Any) -> None:
    """The socket is read, the other handlers and `stream` go on."""
    gate, slow, fast = asyncio.Event(), [], []

    async def waits(value: Any) -> None:
        await gate.wait()
        slow.append(value["n"])

    async with RawServer(quiet) as server, hand(server.url) as client:
        client.add_handler(waits)
        client.add_handler(lambda value: fast.append(value["n"]))
        server.peers[0].number(100)
        await until(lambda: len(fast) == 100)
        assert slow == []
        assert await client.receive() == {"n": 1}
        gate.set()
        await until(lambda: slow == fast)


async def test_one_that_raises_is_heard_and_removed_alone(hand: Any, unheard: list[BaseException]) -> None:
    """Its error goes to the loop's exception handler, once; the others lose nothing; `connect` does not pardon it."""
    calls: list[str] = []
    errors = [ValueError("sync"), ValueError("async"), asyncio.CancelledError("the result of a cancelled future")]

    def sync(value: Any) -> None:
        calls.append("sync")
        raise errors[0]

    async def later(value: Any) -> None:
        calls.append("async")
        await asyncio.sleep(0)
        raise errors[1]

    async def cancelled(value: Any) -> None:
        calls.append("cancelled")
        raise errors[2]

    good: list[int] = []
    unheard.extend([errors[0], errors[2], errors[1]])  # in the order in which they are raised
    async with RawServer(greet) as server, hand(server.url, connect=False) as client:
        for handler in (sync, later, cancelled, lambda value: good.append(value["n"])):
            client.add_handler(handler)
        await client.connect()
        await until(lambda: good == [1])
        server.peers[0].number(2)
        await until(lambda: good == [1, 2, 3])
        await client.close()
        await client.connect()
        await until(lambda: good == [1, 2, 3, 4])
        assert sorted(calls) == ["async", "cancelled", "sync"]
        assert client.stats.reactive_disconnects == 0


async def test_one_whose_queue_is_full_is_heard_or_drops_as_asked(hand: Any, unheard: list[BaseException]) -> None:
    """What is dropped is counted and told, by the name of the place."""
    gate, seen = asyncio.Event(), []

    async def waits(value: Any) -> None:
        await gate.wait()
        seen.append(value["n"])

    heard: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.append(context["exception"]))
    async with RawServer(quiet) as server, hand(server.url) as client:
        client.add_handler(waits, maxsize=2, overflow="drop_oldest")
        server.peers[0].number()
        await until(lambda: client.stats.messages_received == 1)
        server.peers[0].number(9)
        await until(lambda: client.stats.messages_received == 10)
        assert client.stats.dropped == 7
        assert client.of(Overflow)[0].where == "handler"
        gate.set()
        await until(lambda: seen == [1, 9, 10])
        gate.clear()
        client.add_handler(waits, maxsize=2)
        server.peers[0].number(9)
        await until(lambda: client.stats.messages_received == 19)
        gate.set()
        await until(lambda: heard)
        assert [type(each) for each in heard] == [BufferOverflow]


async def test_an_async_one_is_never_called_beside_itself(hand: Any) -> None:
    """Also where `connect` follows while it is still busy with what the last connection brought."""
    gate, running, most, seen = asyncio.Event(), 0, 0, []

    async def busy(value: Any) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await gate.wait()
        running -= 1
        seen.append(value["n"])

    async with RawServer(greet) as server, hand(server.url, connect=False) as client:
        client.add_handler(busy)
        await client.connect()
        await until(lambda: running == 1)
        await client.close()
        await client.connect()
        await until(lambda: client.stats.messages_received == 2)
        gate.set()
        await until(lambda: seen == [1, 2])
        assert most == 1


class Callable:
    """An object with an async `__call__`."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    async def __call__(self, value: Any) -> None:
        self.seen.append(value["n"])


async def test_async_is_found_behind_partial_and_call(hand: Any) -> None:
    """Not only a bare `async def`."""
    bound = Callable()
    seen: list[Any] = []

    async def keep(where: list[Any], value: Any) -> None:
        where.append(value["n"])

    async with RawServer(greet) as server, hand(server.url, connect=False) as client:
        client.add_handler(bound)
        client.add_handler(partial(keep, seen))
        await client.connect()
        await until(lambda: bound.seen == seen == [1])


async def test_a_sync_function_that_returns_a_coroutine_is_told(hand: Any) -> None:
    """It would never be awaited: that is said, and nothing is warned of."""
    heard: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.append(context["exception"]))
    async with RawServer(greet) as server, hand(server.url, connect=False) as client:
        client.add_handler(lambda value: asyncio.sleep(0))
        await client.connect()
        await until(lambda: heard)
        assert isinstance(heard[0], ConfigError) and heard[0].field == "handler"


async def test_what_is_no_function_is_refused(hand: Any) -> None:
    """By name."""
    async with hand("ws://127.0.0.1:9/", connect=False) as client:
        with pytest.raises(ConfigError, match="handler"):
            client.add_handler("print")


async def test_where_handlers_take_all_nothing_waits_for_nobody(hand: Any) -> None:
    """The first values wait, for somebody may still read; when they are too many nobody will, and they are let go."""
    seen: list[int] = []
    async with RawServer(quiet) as server, hand(server.url, maxsize=10, overflow="block") as client:
        server.peers[0].number(5)
        await until(lambda: client.stats.messages_received == 5)
        client.add_handler(lambda value: seen.append(value["n"]))
        server.peers[0].number(20)
        await until(lambda: len(seen) == 20)
        assert client.stats.dropped == 0 and client.of(Overflow) == []
        receiving = asyncio.ensure_future(client.receive())
        await turns()
        server.peers[0].number()
        assert await receiving == {"n": 26}


async def test_close_lets_an_async_one_have_what_waits_and_force_close_does_not(hand: Any) -> None:
    """The one is an orderly end, the other is not."""
    for verb, kept in (("close", 3), ("force_close", 0)):
        gate, seen = asyncio.Event(), []

        async def waits(value: Any, gate: asyncio.Event = gate, seen: list[int] = seen) -> None:
            await gate.wait()
            seen.append(value["n"])

        async with RawServer(quiet) as server, hand(server.url, connect=False) as client:
            client.add_handler(waits)
            await client.connect()
            server.peers[0].number(3)
            await until(lambda client=client: client.stats.messages_received == 3)
            await turns()
            await getattr(client, verb)()
            gate.set()
            await turns()
            assert len(seen) == kept
