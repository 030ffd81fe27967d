"""Who hears of a subscription: all who listen to its events, the log, and the watchman of its loop."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from reactivex import abc

from rxws.consumers import names_behind
from rxws.errors import ConnectionClosed
from rxws.events import Blocked, Event
from rxws.overhearing import overhearers
from rxws.redaction import masked_text
from rxws.scheduler import RAISED, report
from rxws.types import Stamp
from rxws.watchman import BLOCKED, Watched, Watchman

__all__ = ["LOG", "EventObserver", "Telling", "listening", "log_words"]

R = TypeVar("R")

EventObserver = abc.ObserverBase[Event] | Callable[[Event], None]

LOG = logging.getLogger("rxws")
LOG_EVERY = 60.0
"""Seconds between two log records about the same nuisance."""
LONGEST_REASON = 123
"""Characters of a close reason; a close frame carries so many bytes (RFC 6455, section 5.5)."""


class Telling:
    """All who hear of one subscription.

    Args:
        now: its clock, in seconds.
        stamp: what an event tells now, of a generation; None: of the current one.
        events: who hears of the events; an observer or a function.
        in_stream: takes the events that travel in the stream itself; what it raises is the consumer's.
        consumers: what a value goes through, the stream's observer at last: to name who is slow.
        crashed: told what `in_stream` raised.
        is_over: whether the subscription has been disposed.
    """

    def __init__(
        self,
        now: Callable[[], float],
        stamp: Callable[[int | None], Stamp],
        events: EventObserver | None,
        in_stream: Callable[[Event], None] | None,
        consumers: tuple[object, ...],
        crashed: Callable[[BaseException], object],
        is_over: Callable[[], bool],
    ) -> None:
        self._watchman: Watchman | None = None
        self._member: Watched | None = None
        self._now = now
        self._stamp = stamp
        self._consumers = consumers
        self._crashed = crashed
        self._is_over = is_over
        self._in_stream = None if in_stream is None else self.timed(in_stream)
        listeners = (listening(events), *overhearers())
        self._listeners = tuple(self.timed(listener) for listener in listeners if listener is not None)
        self._logged: dict[str, float] = {}
        self._telling_blocked = False

    def tell(self, event: Event) -> None:
        """Hand an event to all who listen."""
        for listener in self._listeners:
            try:
                listener(event)
            except RAISED as error:
                report(error)
        if self._in_stream is not None:
            try:
                self._in_stream(event)
            except RAISED as error:
                self._crashed(error)

    def watch(self, watchman: Watchman, member: Watched) -> abc.DisposableBase:
        """Hear from `watchman`, on behalf of `member`, and name to it who blocks the loop."""
        self._watchman, self._member = watchman, member
        return watchman.join(member)

    def leave_stream(self) -> None:
        """Tell nothing more in the stream itself: its consumer has raised, and hears not even Closed."""
        self._in_stream = None

    def log(self, about: str, message: str, *args: object) -> None:
        """Log a nuisance, at most once a minute each."""
        now = self._now()
        if now - self._logged.get(about, -LOG_EVERY) >= LOG_EVERY:
            self._logged[about] = now
            LOG.warning(message, *args)

    def was_slow(self, generation: int, seconds: float) -> None:
        """What the consumers did with what one read brought took so long."""
        self._took(seconds, self._consumers, generation)

    def timed(self, function: Callable[..., R]) -> Callable[..., R]:
        """Return `function`, which tells of itself where it blocks the loop."""

        def run(*arguments: object) -> R:
            began = self._now()
            try:
                return function(*arguments)
            finally:
                took = self._now() - began
                if took >= BLOCKED:
                    self._took(took, (function,), None)

        return run

    def blocked(self, seconds: float, callback: str | None, generation: int | None = None) -> None:
        """The loop stood still for so long, because of `callback`; None: nobody knows which."""
        # Who listens may be slow about this one too; and who has ended it wants to hear nothing more.
        if not (self._telling_blocked or self._is_over()):
            self._telling_blocked = True
            self.tell(Blocked(**self._stamp(generation), seconds=seconds, callback=callback))
            self._telling_blocked = False

    def _took(self, seconds: float, consumers: tuple[object, ...], generation: int | None) -> None:
        # What one of them called may have told of itself already: a listener within a read, say.
        if self._watchman is not None:
            seconds -= self._watchman.named_since(self._now() - seconds)
        names = names_behind(*consumers) if seconds >= BLOCKED else None
        if names is None:
            return
        if self._watchman is not None and self._member is not None:
            self._watchman.named(self._member, seconds, names)
        self.blocked(seconds, names, generation)


def log_words(origin: str, error: Exception | None) -> None:
    """Log the server's words about a close, which are not ours: nowhere but here, and only for who looks closely."""
    if isinstance(error, ConnectionClosed) and error.reason and LOG.isEnabledFor(logging.DEBUG):
        words = ascii(masked_text(error.reason[:LONGEST_REASON]))
        LOG.debug("%s: the server closed the connection with code %d and said %s", origin, error.code, words)


def listening(events: EventObserver | None) -> Callable[[Event], None] | None:
    """Return the function that hears of events: an observer's, or the one given."""
    if isinstance(events, abc.ObserverBase):
        return events.on_next
    return events
