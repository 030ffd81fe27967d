"""A live view: it subscribes to streams, shows what they emit, and says how they are."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, Self, TypeAlias

from reactivex import Observable, abc
from reactivex.disposable import CompositeDisposable
from reactivex.scheduler.eventloop import AsyncIOScheduler

from rxws import arguments
from rxws.errors import ConfigError
from rxws.events import Event
from rxws.live.chart import Take
from rxws.live.coalescer import Coalescer
from rxws.live.streams import Mark, Report, StreamState, report_of
from rxws.overhearing import overheard_by
from rxws.scheduler import RAISED, report, settled, wall_time_ns

__all__ = ["Feed", "LiveView", "Model", "Status"]

Status: TypeAlias = Literal["new", "live", "stopped", "completed", "error"]

WAITING_VALUES = 65_536
"""Values of other threads that may wait for the loop; the oldest of more are dropped, and counted."""
STATES = 32
"""Connections of one view whose state is known; of more the oldest are forgotten."""


@dataclass(frozen=True, slots=True)
class Feed:
    """One stream of a view: what it is called, and what takes its values. `name` is empty where it is the only one."""

    name: str
    stream: Observable[Any]  # Any: whatever it emits; `take` says what is wrong with it
    take: Take


class Model(Protocol):
    """What a view holds."""

    @property
    def dropped(self) -> int:
        """How much could not be kept."""


class LiveView(abc.DisposableBase, ABC):
    """Streams, and a picture of them that is drawn anew when something has come.

    Nothing is subscribed before it is shown, or told to start. An error of one stream ends the view; it completes when
    all have completed.

    Args:
        feeds: the streams.
        model: what holds their values.
        fps: how often it is drawn at most, times a second.
    """

    def __init__(self, feeds: Sequence[Feed], model: Model, fps: float) -> None:
        self.status: Status = "new"
        self.error: BaseException | None = None
        """What ended it, where `status` is "error"."""
        self.events_in = 0
        """How many values have come."""
        self.frames_out = 0
        """How often it was drawn."""
        self._feeds = feeds
        self._model = model
        self._fps = fps
        self._failed_in = ""
        self._unread = 0
        self._open = len(feeds)
        self._states: deque[StreamState] = deque(maxlen=STATES)
        self._overheard: set[str] = set()
        self._elsewhere: deque[tuple[bool, Callable[[], None]]] = deque()
        self._lock = threading.Lock()
        self._subscriptions = CompositeDisposable()

    def start(self) -> Self:
        """Subscribe to the streams; once only, later calls change nothing.

        Raises:
            ConfigError: no event loop is running here.
        """
        if self.status != "new":
            return self
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise ConfigError("start", self.NO_LOOP) from None
        self.status = "live"
        self._loop = loop
        self._thread = threading.get_ident()
        self._scheduler = AsyncIOScheduler(loop)
        self._last_time: float | None = None
        self._ended: asyncio.Future[None] = loop.create_future()
        self._coalescer = Coalescer(self._draw_now, self._fps, self._scheduler)
        self._coalescer.touch()
        for feed in self._feeds:
            if self.status == "live":  # else one of them has failed at once
                self._subscribe(feed)
        return self

    NO_LOOP = "no event loop is running here; in a script use .run(), in async code start it inside a coroutine"

    def stop(self) -> None:
        """End the subscriptions, and leave the last picture; from any thread, as often as you like."""
        if self.status == "new":
            self.status = "stopped"
        elif threading.get_ident() == self._thread:
            self._end("stopped")
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._end, "stopped")

    def dispose(self) -> None:
        """Stop it: a view is a disposable too."""
        self.stop()

    async def wait(self, seconds: float | None = None) -> None:
        """Start it if it is new, and wait until it ends; after `seconds` stop it. None: as long as it goes on.

        When this returns, the sockets are closed and the last picture is drawn. It raises nothing of the streams:
        `error` is what ended them. Where it is cancelled, as by the interrupt of a cell, the view stops.

        Raises:
            ConfigError: `seconds` is out of range.
        """
        arguments.seconds("seconds", seconds)
        self.start()
        try:
            if self.status == "live":
                await asyncio.wait([self._ended], timeout=seconds)
        finally:
            if self.status == "live":
                self.stop()
        await settled()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def report(self) -> Report:
        """What its bar says now."""
        if self.status == "live":
            now = self._loop.time()
            quiet = None if self._last_time is None else now - self._last_time
            return report_of(self._states, now, quiet)
        if self.status == "error":
            where = f"{self._failed_in}: " if self._failed_in else ""
            return Report("error", f"{where}{type(self.error).__name__}: {self.error}")
        return Report(self.status, self.status)

    @property
    def dropped(self) -> int:
        """How many values could not be kept: too late, or from another thread and too many for the loop."""
        return self._model.dropped + self._unread

    @abstractmethod
    def _draw(self) -> None:
        """Draw what has changed."""

    def _over(self) -> None:
        """The view has ended; its last picture is drawn."""

    def _mark(self, mark: Mark) -> None:
        """A stretch without a live connection has begun or ended."""

    def _subscribe(self, feed: Feed) -> None:
        def overhear() -> Callable[[Event], None]:
            self._overheard.add(feed.name)
            return self._listener(feed)

        aloud = self._listener(feed, aloud=True)

        def next_value(value: object) -> None:
            if isinstance(value, Event):
                if feed.name not in self._overheard:  # a stream that was shared, and subscribed before
                    aloud(value)
            else:
                self._take(feed, value)

        on_loop = self._on_loop
        with overheard_by(overhear):
            self._subscriptions.add(
                feed.stream.subscribe(
                    on_loop(next_value),
                    on_loop(lambda error: self._fail(error, feed.name), is_end=True),
                    lambda: on_loop(lambda _: self._completed(), is_end=True)(None),
                    scheduler=self._scheduler,
                )
            )

    def _take(self, feed: Feed, value: object) -> None:
        if self.status != "live":
            return
        self.events_in += 1
        self._last_time = self._loop.time()
        try:
            feed.take(value, wall_time_ns(self._scheduler))
        except RAISED as error:
            self._fail(error, feed.name)
        else:
            self._coalescer.touch()

    def _listener(self, feed: Feed, aloud: bool = False) -> Callable[[Event], None]:
        state = StreamState(feed.name)

        def hear(event: Event) -> None:
            if self.status != "live":
                return
            if state not in self._states:
                self._states.append(state)
            mark = state.hear(event, self._loop.time())
            if state.is_over:
                self._states.remove(state)
            if mark is not None:
                self._mark(mark)
            self._coalescer.touch()

        return hear

    # Any: whatever a stream emits
    def _on_loop(self, handle: Callable[[Any], None], *, is_end: bool = False) -> Callable[[Any], None]:
        """Return `handle`, called on the loop's thread: reactivex's own timers emit on others."""

        def taken(value: object) -> None:
            if threading.get_ident() == self._thread:
                handle(value)
                return
            with self._lock:
                if len(self._elsewhere) >= WAITING_VALUES:
                    self._drop_oldest()
                self._elsewhere.append((is_end, lambda: handle(value)))
                wake = len(self._elsewhere) == 1
            if wake and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._take_waiting)

        return taken

    def _take_waiting(self) -> None:
        with self._lock:
            waiting = list(self._elsewhere)
            self._elsewhere.clear()
        for _, take in waiting:
            take()

    def _drop_oldest(self) -> None:
        """Make room for a value; an end must be heard of."""
        for index, (is_end, _) in enumerate(self._elsewhere):
            if not is_end:
                del self._elsewhere[index]
                self._unread += 1
                return

    def _fail(self, error: BaseException, name: str = "") -> None:
        if self.status == "live":
            self.error = error
            self._failed_in = name
            self._end("error")

    def _completed(self) -> None:
        self._open -= 1
        if self._open == 0:
            self._end("completed")

    def _end(self, status: Status) -> None:
        if self.status != "live":
            return
        self.status = status
        self._subscriptions.dispose()
        self._coalescer.flush()
        self._coalescer.stop()
        self._over()
        if not self._ended.done():
            self._ended.set_result(None)

    def _draw_now(self) -> None:
        self.frames_out += 1
        try:
            self._draw()
        except RAISED as error:
            report(error)  # no stream raised it: whoever watches the loop must hear of it
            self._fail(error)
