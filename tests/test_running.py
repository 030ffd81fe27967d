"""Scripts and async code: `run` to the end, `aiter` step by step, and nothing left behind."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import subprocess
import sys
import threading
from typing import Any

import pytest
import reactivex as rx
from reactivex import Subject
from reactivex import operators as ops
from websockets.asyncio.server import ServerConnection, serve

import rxws
from rxws import ws_observable
from rxws.errors import BufferOverflow, ConfigError, ConnectionClosed
from rxws.testing import Attempt, ScriptedTransport


def test_run_returns_the_last_value_and_hands_each_to_on_next() -> None:
    """None where there was none, also where None is what came."""
    seen: list[int] = []
    assert rxws.run(rx.of(1, 2, 3), seen.append) == 3
    assert seen == [1, 2, 3]
    assert rxws.run(rx.empty()) is None
    assert rxws.run(rx.of(1, None)) is None


@pytest.mark.parametrize("bad", [5, "print", ws_observable])
def test_what_cannot_be_subscribed_is_refused_before_the_first_step(bad: Any) -> None:
    """By `run` and by `aiter`: a URL alone, or a function that was not called."""
    for use in (rxws.run, rxws.aiter):
        with pytest.raises(ConfigError, match="is no observable; take ws_observable") as refused:
            use(bad)
        assert refused.value.field == "observable"


def test_run_refuses_an_on_next_that_cannot_be_called() -> None:
    """At once, and not at the first value: that may be hours later."""
    dialled: list[int] = []
    no_function: Any = 5
    with pytest.raises(ConfigError, match="5 is not callable; take a function of a value, or None") as refused:
        rxws.run(rx.defer(lambda _: rx.of(dialled.append(1))), no_function)
    assert refused.value.field == "on_next"
    assert dialled == []


def test_run_raises_the_streams_error() -> None:
    """As it is, not wrapped."""
    bug = KeyError("bug")
    with pytest.raises(KeyError) as raised:
        rxws.run(rx.throw(bug))
    assert raised.value is bug


def test_run_raises_what_on_next_raises_and_disposes() -> None:
    """The stream goes on no further."""
    seen: list[int] = []

    def consume(value: int) -> None:
        seen.append(value)
        raise LookupError(value)

    with pytest.raises(LookupError):
        rxws.run(rx.interval(0.001), consume)
    assert seen == [0]


def test_run_takes_what_follows_an_exception_of_on_next_no_further() -> None:
    """Also where the source emits on within the same turn."""
    seen: list[int] = []

    def consume(value: int) -> None:
        seen.append(value)
        raise LookupError(value)

    with pytest.raises(LookupError):
        rxws.run(rx.of(1, 2, 3), consume)
    assert seen == [1]


def test_run_passes_the_loops_scheduler_and_needs_no_thread() -> None:
    """reactivex's timers are on the loop's thread then."""
    threads: list[threading.Thread] = []
    rxws.run(rx.timer(0.0), lambda _: threads.append(threading.current_thread()))
    assert threads == [threading.main_thread()]
    assert threading.active_count() == 1


async def test_run_in_a_running_loop_says_what_to_do() -> None:
    """A notebook's user is told of subscribe and await."""
    with pytest.raises(ConfigError, match=r"subscribe.*await"):
        rxws.run(rx.of(1))


async def test_scheduler_is_for_timers_of_ones_own() -> None:
    """It finds the loop that runs."""
    done: asyncio.Future[threading.Thread] = asyncio.get_running_loop().create_future()
    rx.timer(0.0, scheduler=rxws.scheduler()).subscribe(lambda _: done.set_result(threading.current_thread()))
    assert await asyncio.wait_for(done, 10) is threading.main_thread()


CTRL_C = """
import sys, rxws
from rxws.testing import SimulatedExchange
import asyncio, threading, reactivex as rx
def show(value):
    print(value, flush=True)
print("last", rxws.run(rx.interval(0.001), show) is not None, threading.active_count(), flush=True)
"""


def test_ctrl_c_ends_a_run_cleanly() -> None:
    """It returns the last value: a script goes on to its summary, and nothing stands on stderr."""
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", CTRL_C], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "0\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert out.endswith("last True 1\n")
    assert (process.returncode, err) == (0, "")


async def echo(connection: ServerConnection) -> None:
    """Send what comes, and numbers where nothing does."""
    for number in range(10):
        await connection.send(str(number))
    await connection.wait_closed()


def test_run_leaves_no_socket_behind() -> None:
    """It returns when the closing handshake is done: the server saw a close frame, and no transport is unclosed."""
    script = """
import asyncio, gc, threading, rxws
from reactivex import operators as ops
from websockets.sync.server import serve
codes = []
def handler(connection):
    connection.send("1")
    try:
        connection.recv()
    except Exception as error:
        codes.append(error.rcvd.code)
with serve(handler, "127.0.0.1", 0) as server:
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = "ws://127.0.0.1:%d" % server.socket.getsockname()[1]
    print(rxws.run(rxws.ws_observable(url).pipe(ops.take(1))))
    gc.collect()
    server.shutdown()
    thread.join()
print(codes)
"""
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
        check=False,
    )
    assert (done.stdout, done.stderr) == ("1\n[1000]\n", "")


# aiter


async def test_aiter_hands_out_what_came_and_ends_with_the_stream() -> None:
    """Completion ends the loop."""
    assert [value async for value in rxws.aiter(rx.of(1, 2, 3))] == [1, 2, 3]


async def test_aiter_raises_the_streams_error_after_what_waited() -> None:
    """Once; then it is over."""
    iteration = rxws.aiter(rx.concat(rx.of(1), rx.throw(ConnectionClosed(1001))))
    seen = []
    with pytest.raises(ConnectionClosed):
        async for value in iteration:
            seen.append(value)
    assert seen == [1]
    assert [value async for value in iteration] == []


async def test_aiter_is_cold_until_its_first_step() -> None:
    """Making one subscribes nothing."""
    source: Subject[int] = Subject()
    iteration = rxws.aiter(source)
    assert source.observers == []
    step = asyncio.ensure_future(anext(iteration))
    await asyncio.sleep(0)
    source.on_next(7)
    assert await step == 7
    await iteration.aclose()
    assert source.observers == []


@pytest.mark.parametrize(
    ("overflow", "kept", "dropped"),
    [("drop_oldest", [0, 7, 8, 9], 6), ("drop_newest", [0, 1, 2, 3], 6), ("latest", [0, 9], 8)],
)
async def test_aiter_drops_by_its_policy_and_counts_exactly(overflow: Any, kept: list[int], dropped: int) -> None:
    """Of what came while the body was busy, `maxsize` values wait; "latest" keeps one."""
    source: Subject[int] = Subject()
    iteration = rxws.aiter(source, maxsize=3, overflow=overflow)
    step = asyncio.ensure_future(anext(iteration))
    await asyncio.sleep(0)
    source.on_next(0)
    seen = [await step]
    for number in range(1, 10):
        source.on_next(number)
    source.on_completed()
    seen += [value async for value in iteration]
    assert (seen, iteration.dropped) == (kept, dropped)


async def test_aiter_raises_by_default_when_its_buffer_is_full() -> None:
    """What waited is handed out first, then BufferOverflow; the source is disposed at once."""
    source: Subject[int] = Subject()
    iteration = rxws.aiter(source, maxsize=2)
    step = asyncio.ensure_future(anext(iteration))
    await asyncio.sleep(0)
    for number in range(5):
        source.on_next(number)
    assert source.observers == []
    seen = [await step]
    with pytest.raises(BufferOverflow) as raised:
        async for value in iteration:
            seen.append(value)
    assert seen == [0, 1]
    assert (raised.value.size, raised.value.dropped) == (2, 1)


async def test_leaving_the_loop_disposes_at_once() -> None:
    """By break, by an exception of the body, by `async with`."""
    source: rx.subject.BehaviorSubject[int] = rx.subject.BehaviorSubject(1)

    async for _ in rxws.aiter(source):
        break
    gc.collect()
    assert source.observers == []

    with contextlib.suppress(LookupError):
        async for _ in rxws.aiter(source):
            raise LookupError
    gc.collect()
    assert source.observers == []

    async with rxws.aiter(source) as iteration:
        assert await anext(iteration) == 1
        assert len(source.observers) == 1
    assert source.observers == []


async def test_a_cancelled_step_is_cancelled_and_loses_nothing() -> None:
    """The consumer hears of its cancellation, and the next step gets what came."""
    source: Subject[int] = Subject()
    iteration = rxws.aiter(source)
    step = asyncio.ensure_future(anext(iteration))
    await asyncio.sleep(0)
    step.cancel()
    with pytest.raises(asyncio.CancelledError):
        await step
    source.on_next(1)
    assert await anext(iteration) == 1


async def test_two_tasks_on_one_iteration_are_refused() -> None:
    """Each would get half of the values."""
    iteration = rxws.aiter(rx.never())
    step = asyncio.ensure_future(anext(iteration))
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="two tasks"):
        await anext(iteration)
    step.cancel()


async def test_a_slow_loop_costs_neither_connection_nor_data() -> None:
    """The socket is read whatever the body does: all that the server sent is there, in order."""

    async def flood(connection: ServerConnection) -> None:
        for number in range(2_000):
            await connection.send(str(number))
        await connection.wait_closed()

    async with serve(flood, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        seen = []
        async with rxws.aiter(ws_observable(f"ws://127.0.0.1:{port}", retry=None)) as iteration:
            async for number in iteration:
                seen.append(number)
                await asyncio.sleep(0)
                if number == 1_999:
                    break
        assert seen == list(range(2_000))


async def test_the_stream_s_own_example_runs() -> None:
    """A WebSocket, its numbers, three of them."""
    async with serve(echo, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        stream = ws_observable(f"ws://127.0.0.1:{port}").pipe(ops.take(3))
        assert [number async for number in rxws.aiter(stream)] == [0, 1, 2]


@pytest.mark.parametrize(
    ("field", "options"),
    [("maxsize", {"maxsize": 0}), ("maxsize", {"maxsize": 1.5}), ("overflow", {"overflow": "block"})],
)
def test_a_wrong_argument_of_aiter_is_named(field: str, options: Any) -> None:
    """When it is made, not at its first step."""
    with pytest.raises(ConfigError) as raised:
        rxws.aiter(rx.never(), **options)
    assert raised.value.field == field


async def one_number(connection: ServerConnection) -> None:
    """Send a number, and stay."""
    await connection.send("1")
    await connection.wait_closed()


def inner_subscriber(stream: rx.Observable[Any]) -> rx.Observable[Any]:
    """What a window's subscriber raises passes by the subscriber of the windows."""

    def broken(value: Any) -> None:
        raise KeyError(value)

    def begin(window: rx.Observable[Any]) -> rx.Observable[Any]:
        window.subscribe(broken)
        return rx.never()

    return stream.pipe(ops.window_with_count(5), ops.flat_map(begin))


def test_what_a_consumer_raises_anywhere_comes_out_of_run() -> None:
    """Also where it is no subscriber of the stream's own, or a cancellation."""
    with ThreadedServer() as url:
        with pytest.raises(KeyError):
            rxws.run(inner_subscriber(ws_observable(url)))

        def cancelled(value: Any) -> None:
            raise asyncio.CancelledError

        with pytest.raises(asyncio.CancelledError):
            rxws.run(ws_observable(url), cancelled)


@pytest.mark.parametrize("options", [{"retry": None}, {"final_close_codes": {1000}}], ids=["error", "completed"])
def test_what_a_consumer_raises_at_the_end_comes_out_of_run(options: Any) -> None:
    """An operator's, which has no error handler of `run`'s."""

    def raising(*_: object) -> None:
        raise KeyError("the operator's own")

    def broken(source: rx.Observable[Any]) -> rx.Observable[Any]:
        return rx.Observable(
            lambda observer, scheduler=None: source.subscribe(observer.on_next, raising, raising, scheduler=scheduler)
        )

    ends = Attempt(messages=[(0.0, "1")], lost=(0.0, ConnectionClosed(1000)))
    with pytest.raises(KeyError, match="the operator's own"):
        rxws.run(ws_observable("ws://scripted", transport=ScriptedTransport(ends), **options).pipe(broken))


async def test_what_a_consumer_raises_anywhere_comes_out_of_aiter() -> None:
    """Its step raises it."""
    async with serve(one_number, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with rxws.aiter(inner_subscriber(ws_observable(f"ws://127.0.0.1:{port}"))) as iteration:
            with pytest.raises(KeyError):
                await anext(iteration)


class ThreadedServer:
    """A server on a loop of its own."""

    def __enter__(self) -> str:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        self.server = asyncio.run_coroutine_threadsafe(self.serve(), self.loop).result(10)
        return f"ws://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"

    async def serve(self) -> Any:
        return await serve(one_number, "127.0.0.1", 0)

    async def close(self) -> None:
        self.server.close()
        await self.server.wait_closed()

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self.close(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


def test_run_of_what_is_no_observable_says_so() -> None:
    """A URL, for example."""
    with pytest.raises(ConfigError) as raised:
        rxws.run("ws://scripted")  # type: ignore[arg-type]
    assert raised.value.field == "observable"
