"""What a client leaves behind is found, and what others make is not."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from rxws import ws_observable
from rxws.testing import Leftovers, SimulatedExchange


async def nothing() -> None:
    """Wait for ever."""
    await asyncio.Event().wait()


async def test_a_task_of_the_client_is_found_until_it_is_done() -> None:
    """One of the test's own is not."""
    with Leftovers() as leftovers:
        of_the_client = leftovers.as_client(asyncio.ensure_future, nothing())
        of_the_test = asyncio.ensure_future(nothing())
        assert [each.split()[0] for each in leftovers.found()] == ["task"]
        of_the_client.cancel()
        assert await leftovers.after_a_while() == []
        of_the_test.cancel()


async def test_a_timer_of_the_client_is_found_until_it_is_cancelled_or_due() -> None:
    """Whoever made it by which method."""
    loop = asyncio.get_running_loop()
    with Leftovers() as leftovers:
        timers = [leftovers.as_client(loop.call_later, 3600.0, print)]
        timers.append(leftovers.as_client(loop.call_at, loop.time() + 3600.0, print))
        leftovers.as_client(loop.call_later, 0.0, lambda: None)
        others = loop.call_later(3600.0, print)
        await asyncio.sleep(0.01)
        assert [each.split()[0] for each in leftovers.found()] == ["timer", "timer"]
        for timer in timers:
            timer.cancel()
        assert leftovers.found() == []
        others.cancel()


async def test_what_the_clients_tasks_make_is_the_clients() -> None:
    """However many steps away."""

    async def parent() -> Any:
        await asyncio.sleep(0)
        return asyncio.ensure_future(nothing())

    with Leftovers() as leftovers:
        child = await leftovers.as_client(asyncio.ensure_future, parent())
        assert [each.split()[0] for each in leftovers.found()] == ["task"]
        child.cancel()
        assert await leftovers.after_a_while() == []


async def test_a_socket_is_found_until_it_is_closed() -> None:
    """The server's end of it is not."""
    async with SimulatedExchange("spot") as exchange:
        with Leftovers() as leftovers:
            stream = ws_observable(exchange.combined_url(), ping_interval=None)
            subscription = leftovers.as_client(stream.subscribe)
            await exchange.until(lambda: exchange.handshakes_accepted)
            assert [each.split()[0] for each in leftovers.found()].count("socket") == 1
            leftovers.as_client(subscription.dispose)
            assert await leftovers.after_a_while() == []


async def test_a_new_thread_is_found_unless_its_name_is_given() -> None:
    """asyncio's own do not count."""
    over = threading.Event()
    with Leftovers(threads={"mine"}) as leftovers:
        threads = [threading.Thread(target=over.wait, name=name) for name in ("mine", "stray")]
        for thread in threads:
            thread.start()
        await asyncio.get_running_loop().run_in_executor(None, lambda: None)
        assert leftovers.found() == ["thread stray"]
        over.set()
        for thread in threads:
            thread.join()
        assert leftovers.found() == []


async def test_what_stays_is_told_after_a_while() -> None:
    """In words that begin with what it is."""
    with Leftovers() as leftovers:
        task = leftovers.as_client(asyncio.ensure_future, nothing())
        (left,) = await leftovers.after_a_while(0.01)
        assert left.startswith("task") and "nothing" in left
        task.cancel()


async def test_the_loop_is_as_it_was_afterwards() -> None:
    """A task factory that was there makes the tasks meanwhile, and is put back."""
    loop, made = asyncio.get_running_loop(), list[Any]()

    def factory(loop: Any, coroutine: Any, **kwargs: Any) -> Any:
        made.append(coroutine)
        return asyncio.Task(coroutine, loop=loop, **kwargs)

    loop.set_task_factory(factory)
    before = loop.call_at, loop.sock_connect
    with Leftovers() as leftovers:
        task = leftovers.as_client(asyncio.ensure_future, nothing())
        assert len(made) == len(leftovers.found()) == 1
        task.cancel()
    assert (loop.call_at, loop.sock_connect) == before
    assert loop.get_task_factory() is factory
    loop.set_task_factory(None)


def test_it_needs_a_running_loop() -> None:
    """Nothing can be known of a loop that is not there."""
    with pytest.raises(RuntimeError):
        Leftovers()
