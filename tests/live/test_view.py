from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
import reactivex as rx
from reactivex import Subject
from reactivex import operators as ops

from rxws import Backoff, ws_observable
from rxws.errors import ConfigError, ConnectionClosed
from rxws.live.streams import Mark
from rxws.live.view import Feed, LiveView
from rxws.operators import filter_kline
from rxws.testing import Attempt, ScriptedTransport, SimulatedExchange


class Numbers:
    """A model that holds whatever comes."""

    dropped = 0

    def __init__(self) -> None:
        self.values: list[tuple[object, str]] = []

    def take(self, value: object, time_ns: int) -> None:
        """Take a value, and where it came."""
        if value == "wrong":
            raise ZeroDivisionError(value)
        self.values.append((value, threading.current_thread().name))


class View(LiveView):
    """A view that draws nothing, but knows how often."""

    def __init__(self, *streams: rx.Observable[Any], fps: float = 1_000.0) -> None:
        self.numbers = Numbers()
        names = [""] if len(streams) == 1 else [f"s{number}" for number in range(len(streams))]
        super().__init__(
            [Feed(name, stream, self.numbers.take) for name, stream in zip(names, streams, strict=True)],
            self.numbers,
            fps,
        )
        self.drawn: list[int] = []
        self.over: list[str] = []
        self.marks: list[Mark] = []
        self.draw: Callable[[], None] = lambda: None

    def _draw(self) -> None:
        self.drawn.append(len(self.numbers.values))
        self.draw()

    def _over(self) -> None:
        self.over.append(self.status)

    def _mark(self, mark: Mark) -> None:
        self.marks.append(mark)


def reported() -> list[Any]:
    """What reaches the loop's exception handler from now on."""
    errors: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context.get("exception")))
    return errors


async def until(condition: Callable[[], object]) -> None:
    """Wait for it."""
    async with asyncio.timeout(30.0):
        while not condition():
            await asyncio.sleep(0.001)


def test_without_a_loop_it_says_what_to_do() -> None:
    """And nothing is subscribed."""
    subscribed: list[int] = []
    view = View(rx.defer(lambda _: subscribed.append(1) or rx.never()))  # type: ignore[func-returns-value]
    with pytest.raises(ConfigError, match=r"no event loop is running here; in a script use \.run\(\)"):
        view.start()
    assert (view.status, subscribed) == ("new", [])


async def test_nothing_is_subscribed_before_it_starts_and_once_only() -> None:
    """A description of a chart is as cold as a stream."""
    source: Subject[int] = Subject()
    view = View(source)
    assert source.observers == []
    view.start().start()
    assert len(source.observers) == 1
    view.stop()
    assert source.observers == []
    view.start()
    assert (source.observers, view.status) == ([], "stopped")


async def test_values_are_counted_and_drawn_and_the_last_picture_holds_them_all() -> None:
    """However late the last one came."""
    source: Subject[int] = Subject()
    view = View(source, fps=0.001)
    with view:
        await until(lambda: view.drawn)
        for number in range(5):
            source.on_next(number)
    assert (view.events_in, view.drawn[-1], view.status, view.over) == (5, 5, "stopped", ["stopped"])
    assert view.frames_out == len(view.drawn)
    source.on_next(6)
    assert view.events_in == 5


async def test_it_completes_when_all_have_completed() -> None:
    """And not before."""
    one, other = Subject[int](), Subject[int]()
    view = View(one, other).start()
    one.on_completed()
    other.on_next(1)
    assert view.status == "live"
    other.on_completed()
    await view.wait()
    assert (view.status, view.report().text, view.over) == ("completed", "completed", ["completed"])


async def test_an_error_of_a_stream_ends_it_and_names_the_stream() -> None:
    """The others are disposed."""
    one, other = Subject[int](), Subject[int]()
    view = View(one, other).start()
    other.on_error(ValueError("no such price"))
    assert (view.status, str(view.error)) == ("error", "no such price")
    assert view.report().text == "s1: ValueError: no such price"
    assert one.observers == []
    await view.wait(60.0)


@pytest.mark.parametrize("where", ["at once", "later"])
async def test_what_taking_a_value_raises_is_told_and_ends_it(where: str) -> None:
    """A mistake in a callback is not lost, also where the stream emits inside subscribe."""
    errors = reported()
    source: Subject[object] = Subject()
    first: list[object] = ["wrong"] if where == "at once" else []
    view = View(source.pipe(ops.start_with(*first))).start()
    if where == "later":
        await until(lambda: source.observers)
        source.on_next("wrong")
    await view.wait()
    assert view.report().text == "ZeroDivisionError: wrong"
    assert isinstance(view.error, ZeroDivisionError)
    assert (source.observers, errors) == ([], [])


async def test_what_drawing_raises_ends_it_and_reaches_the_loops_handler() -> None:
    """It is nobody's value that was wrong."""
    errors = reported()
    source: Subject[int] = Subject()
    view = View(source)

    def draw() -> None:
        raise BrokenPipeError

    view.draw = draw
    await view.start().wait()
    assert (view.status, view.over, source.observers) == ("error", ["error"], [])
    assert [type(error) for error in errors] == [BrokenPipeError, BrokenPipeError]


async def test_values_of_other_threads_are_taken_on_the_loops() -> None:
    """reactivex's own timers emit on threads; so may anybody."""
    source: Subject[int] = Subject()
    view = View(source).start()

    def emit() -> None:
        for number in range(1_000):
            source.on_next(number)
        source.on_completed()

    await asyncio.gather(*(asyncio.to_thread(emit) for _ in range(1)))
    await view.wait()
    name = threading.current_thread().name
    assert view.numbers.values == [(number, name) for number in range(1_000)]
    assert view.status == "completed"


async def test_what_waits_for_a_busy_loop_is_bounded_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that is faster than the loop costs values, not memory; how many is told."""
    monkeypatch.setattr("rxws.live.view.WAITING_VALUES", 10)
    source: Subject[int] = Subject()
    view = View(source).start()
    thread = threading.Thread(target=lambda: [source.on_next(number) for number in range(25)])
    thread.start()
    thread.join()  # the loop stands still meanwhile
    await until(lambda: view.events_in)
    view.stop()
    assert [value for value, _ in view.numbers.values] == list(range(15, 25))
    assert view.dropped == 15


async def test_stop_works_from_any_thread_and_as_often_as_you_like() -> None:
    """The end comes on the loop's thread."""
    source: Subject[int] = Subject()
    view = View(source).start()
    await asyncio.to_thread(view.stop)
    await view.wait()
    view.stop()
    view.dispose()
    await asyncio.to_thread(view.stop)
    assert (view.status, view.over) == ("stopped", ["stopped"])


async def test_stopped_before_it_started_it_never_subscribes() -> None:
    """A view that was replaced before it was shown."""
    source: Subject[int] = Subject()
    view = View(source)
    view.stop()
    await view.wait(60.0)
    assert (source.observers, view.status, view.drawn) == ([], "stopped", [])


async def test_wait_stops_after_its_seconds_and_the_socket_is_closed() -> None:
    """When it returns, the exchange has seen the end."""
    async with SimulatedExchange("spot", rate=200.0) as exchange:
        view = View(ws_observable(exchange.combined_url()).pipe(filter_kline))
        waiting = asyncio.ensure_future(view.wait(0.5))
        await exchange.until(lambda: exchange.live)
        await waiting
        assert view.status == "stopped"
        assert not exchange.live


async def test_the_bar_says_how_the_connection_is_without_being_told() -> None:
    """The stream's own events are overheard: lost, why, and when the next attempt comes."""
    script = ScriptedTransport(
        Attempt(messages=[(0.0, "1")], lost=(0.01, ConnectionClosed(1012))), Attempt(messages=[(0.0, "2")])
    )
    view = View(ws_observable("ws://scripted", transport=script, retry=Backoff.fixed(0.2))).start()
    texts: list[str] = []
    view.draw = lambda: texts.append(view.report().text)
    await until(lambda: len(view.numbers.values) == 2)
    view.stop()
    assert "reconnecting {in}: lost: server closed (1012)" in texts
    assert [mark.to_ns is None for mark in view.marks] == [True, False]


@pytest.mark.parametrize("shared", [False, True])
async def test_events_in_the_stream_are_no_values(shared: bool) -> None:
    """They are heard where nobody overhears them: of a stream that was shared and subscribed before."""
    script = ScriptedTransport(Attempt(messages=[(0.05, "1")], lost=(0.1, ConnectionClosed(1012))))
    stream = ws_observable("ws://scripted", transport=script, lifecycle=True, retry=Backoff.fixed(60.0))
    if shared:
        stream = stream.pipe(ops.share())
        before = stream.subscribe(lambda _: None)
    view = View(stream).start()
    await until(lambda: view.report().state == "waiting")
    assert [value for value, _ in view.numbers.values] == [1]
    assert view.report().text == "reconnecting {in}: lost: server closed (1012)"
    assert len(view.marks) == 1
    view.stop()
    if shared:
        before.dispose()


async def test_a_stream_that_ended_is_not_waited_for_in_the_bar() -> None:
    """A user's own retry subscribes anew: what the bar says is of that, not of what was before."""
    script = ScriptedTransport(
        Attempt(messages=[(0.0, "1")], lost=(0.01, ConnectionClosed(1012))), Attempt(messages=[(0.0, "2")])
    )
    stream = ws_observable("ws://scripted", transport=script, retry=None).pipe(ops.retry())
    view = View(stream).start()
    await until(lambda: len(view.numbers.values) == 2)
    assert view.report().text == "live"
    view.stop()


async def test_silence_is_measured_from_the_last_value() -> None:
    """None before the first one."""
    source: Subject[int] = Subject()
    view = View(source).start()
    assert view.report().quiet is None
    source.on_next(1)
    quiet = view.report().quiet
    assert quiet is not None
    assert quiet >= 0.0
    view.stop()


async def test_an_end_from_another_thread_is_never_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Values are, where the loop has no time for them; a completion that was would leave a view that never ends."""
    monkeypatch.setattr("rxws.live.view.WAITING_VALUES", 10)
    one: Subject[int] = Subject()
    other: Subject[int] = Subject()
    view = View(one, other).start()

    def feed() -> None:
        one.on_completed()
        for number in range(100):
            other.on_next(number)
        other.on_completed()

    thread = threading.Thread(target=feed)
    thread.start()
    thread.join()
    await view.wait()
    assert view.status == "completed"
    assert view.events_in + view.dropped == 100
    assert view.dropped > 80


async def test_a_wait_that_is_cancelled_stops_the_view() -> None:
    """An interrupted cell leaves no socket."""
    view = View(rx.never()).start()
    waiting = asyncio.create_task(view.wait(3_600))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert view.status == "stopped"
