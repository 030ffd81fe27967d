"""What stays for a while, and not beyond its loop."""

from __future__ import annotations

import asyncio
import gc

import reactivex as rx
from reactivex import operators as ops
from reactivex.scheduler.eventloop import AsyncIOScheduler
from reactivex.testing import TestScheduler

import rxws
from rxws import operators as wsops
from rxws.lingering import end_lingering, linger
from rxws.testing import SimulatedExchange


def test_it_is_over_in_its_time() -> None:
    """Once, and not where it was disposed before."""
    virtual, over = TestScheduler(), list[float]()
    linger(virtual, 5.0, lambda: over.append(virtual.clock))
    linger(virtual, 6.0, lambda: over.append(virtual.clock)).dispose()

    virtual.advance_to(100.0)

    assert over == [5.0]


async def test_it_is_over_when_the_loop_is_about_to_end() -> None:
    """Once too: its timer does nothing more, and what was disposed is not called."""
    on, over = AsyncIOScheduler(asyncio.get_running_loop()), list[str]()
    linger(on, 0.01, lambda: over.append("short"))
    linger(on, 3_600.0, lambda: over.append("long"))
    linger(on, 3_600.0, lambda: over.append("disposed")).dispose()

    end_lingering()
    end_lingering()
    await asyncio.sleep(0.05)

    assert over == ["short", "long"]


def test_run_leaves_no_connection_that_lingers() -> None:
    """A shared stream would stay open for an hour; the loop ends now, and no socket is left open."""

    async def main() -> str:
        async with SimulatedExchange("spot", rate=100.0) as exchange:
            shared = rxws.ws_observable(exchange.combined_url()).pipe(wsops.share_live(3_600.0))
            await asyncio.to_thread(rxws.run, shared.pipe(ops.take(3)))
            await exchange.until(lambda: not exchange.live)
            return exchange.connections[0].ended or ""

    ended = asyncio.run(main())
    gc.collect()

    assert ended == "closed by the client with 1000"


def test_nothing_lingers_where_nothing_was_shared() -> None:
    """To end what does not linger does no harm."""
    assert rxws.run(rx.of(1)) == 1
