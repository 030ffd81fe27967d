"""What one subscription knows of itself: it outlives the attempts, and is the journal of them all."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from typing import TypedDict, TypeVar

from reactivex import abc
from reactivex.disposable import Disposable, SerialDisposable

from rxws.consumers import names_behind
from rxws.errors import ConnectionClosed, ConnectionFailed, ConnectTimeout
from rxws.events import (
    Blocked,
    ConnectionState,
    DisconnectReason,
    Event,
    GaveUp,
    Overflow,
    Rotated,
    Suspended,
    Trigger,
    Waiting,
    next_state,
)
from rxws.generation import Generation
from rxws.operators._attempts import Attempts
from rxws.overflows import Overflows
from rxws.redaction import escaped, masked, masked_text
from rxws.scheduler import RAISED, clock, report, wall_time_ns
from rxws.stats import Stats
from rxws.watchman import BLOCKED, Watchman

__all__ = ["EventObserver", "Lifecycle", "Stamp", "listening"]

R = TypeVar("R")

EventObserver = abc.ObserverBase[Event] | Callable[[Event], None]

LOG = logging.getLogger("rxws")
NOTEWORTHY = 3
"""Losses in a row that are not worth a log record."""
LONGEST_REASON = 123
"""Characters of a close reason; a close frame carries so many bytes (RFC 6455, section 5.5)."""
LOG_EVERY = 60.0
"""Seconds between two log records about the same nuisance."""


class Stamp(TypedDict):
    """What every event tells."""

    generation: int
    origin: str
    time_ns: int
    state: ConnectionState


class Lifecycle:
    """The state of one subscription: attempts, reasons, events; the `Logbook` of its connections, and their `Handover`.

    Args:
        scheduler: whose time.
        stable_after: seconds after which a connection has proved itself.
        final_close_codes: close codes of the server after which no connection follows.
        stats: what to count into; None: one of its own.
        events: who hears of the events; an observer or a function.
        in_stream: takes the events that travel in the stream itself; what it raises is the consumer's.
        origin: the URL, its secrets are masked here.
        consumers: what a value goes through, the stream's observer at last: to name who is slow.
    """

    def __init__(
        self,
        scheduler: abc.SchedulerBase,
        *,
        stable_after: float,
        final_close_codes: Collection[int] = (),
        stats: Stats | None = None,
        events: EventObserver | None = None,
        in_stream: Callable[[Event], None] | None = None,
        origin: str = "",
        consumers: tuple[object, ...] = (),
    ) -> None:
        self.generation = 0
        self.state = ConnectionState.DISCONNECTED
        self.stats = Stats() if stats is None else stats
        self.attempts = Attempts(stable_after)
        self.reason: DisconnectReason | None = None
        self.planned_reason: DisconnectReason | None = None
        self.uptime = 0.0
        self.finished = False
        self.comes_back = False
        """Whether the hand asks for an end, and for a way back from it: no end for good, whatever its reason."""
        self.last_dial_time: float | None = None
        self.not_before = 0.0
        self.subscription = SerialDisposable()
        self.current: Generation | None = None
        self.successor: Generation | None = None
        self._previous: Generation | None = None
        self._rule = ""
        self._succeeding = 0  # which try the next attempt is as a successor; 0: it is none
        self._covered = self._ended_by_user = False
        self._final_close_codes = final_close_codes
        self.on_gone: Callable[[], None] = _nothing
        self.on_handed_over: Callable[[], None] = _nothing
        self._sockets: list[Generation] = []
        self._waiting_for_room: Callable[[], None] | None = None
        self._in_stream = None if in_stream is None else self.timed(in_stream)
        self.scheduler = scheduler
        self.now = clock(scheduler)
        self._origin = masked(origin)
        listener = listening(events)
        self._listener = None if listener is None else self.timed(listener)
        self._logged: dict[str, float] = {}
        self._overflows = Overflows(scheduler, self._tell_overflow)
        self._consumers = consumers
        self.watchman: Watchman | None = None
        self._telling_blocked = False

    # What the attempts tell (rxws.types.Logbook)

    def attempt(self, fail: Callable[[Exception], None]) -> Generation:
        generation = Generation(self, self.origin, fail, self._succeeding or self.attempts.in_a_row + 1)
        if self._succeeding:
            self._succeeding, self.successor = 0, generation
        else:
            self.current = generation
        return generation

    def waiting(
        self, seconds: float | None, rule: str, error: Exception | None = None, attempt: int | None = None
    ) -> None:
        attempt = self.attempts.in_a_row + 1 if attempt is None else attempt
        # A connection that was lost and comes back is the stream's daily work; one that does not come about is news.
        if isinstance(error, ConnectionFailed | ConnectTimeout) or (error and attempt > NOTEWORTHY):
            where = "" if isinstance(error, ConnectionFailed) else f"{self.origin}: "
            self.log("loss", "%s%s; attempt %d follows", where, error, attempt)
        if seconds is not None and rule in ("retry after", "pause"):
            # The server's own wish, or a pause that protects us from it: a planned end meanwhile does not cut it.
            self.not_before = max(self.not_before, self.now() + seconds)
        self.tell(Waiting(**self._now_current(), seconds=seconds, rule=rule, attempt=attempt, error=error))

    def dropped(self, where: str, count: int = 1) -> None:
        self.stats.dropped += count
        self.log(
            f"dropped {where}",
            "%s: %d dropped in %s, for there was no room or no connection",
            self.origin,
            count,
            where,
        )
        self._overflows.dropped(where, count)

    def callback_failed(self, name: str, error: Exception) -> None:
        words = escaped(masked_text(repr(error)))
        self.log(name, "%s: %s raised %s; it changes nothing", self.origin, name, words)

    def crashed(self, error: BaseException) -> bool:
        self._in_stream = None  # who raised is told nothing more, not even Closed
        self.subscription.dispose()
        report(error, self.scheduler)
        return True

    def was_slow(self, generation: int, seconds: float) -> None:
        """What the consumers did with what one read brought took so long."""
        self._took(seconds, self._consumers, generation)

    def timed(self, function: Callable[..., R]) -> Callable[..., R]:
        """Return `function`, which tells of itself where it blocks the loop."""

        def run(*arguments: object) -> R:
            began = self.now()
            try:
                return function(*arguments)
            finally:
                took = self.now() - began
                if took >= BLOCKED:
                    self._took(took, (function,), None)

        return run

    # What the watchman tells (rxws.watchman.Watched)

    def suspended(self, seconds: float) -> None:
        # What failed before was the fault of a network that was asleep too.
        self.attempts.in_a_row = 0
        self.tell(Suspended(**self._now_current(), seconds=seconds))
        for generation in (self.current, self.successor):
            if generation is not None and generation.connection is not None:
                generation.connection.probe()

    def blocked(self, seconds: float, callback: str | None) -> None:
        self._tell_blocked(seconds, callback, None)

    # What the generations tell

    def dialling(self, generation: Generation) -> int:
        """An attempt begins; return its number."""
        self.generation += 1
        self.last_dial_time = self.now()
        if generation is not self.successor:
            self.planned_reason = None
            self._move(Trigger.DIAL)
        return self.generation

    def has_opened(self, generation: Generation) -> None:
        """A socket is open."""
        self._sockets.append(generation)
        self._move(Trigger.OPEN)

    def plans(self, generation: Generation, reason: DisconnectReason) -> None:
        """A generation is about to be ended."""
        if generation is not self.successor:
            self.reason = reason

    def has_ended(self, generation: Generation, reason: DisconnectReason, error: Exception | None) -> None:
        """A generation has ended, and nothing took its place yet."""
        _log_words(generation.origin, error)
        self._ended_by_user = error is None and reason is DisconnectReason.USER_REQUESTED
        if isinstance(error, ConnectionFailed):
            error.attempts = generation.attempt
        if generation is self.successor:
            self.successor, self._covered = None, False
            return
        self.reason, self.uptime = reason, generation.uptime
        if reason is DisconnectReason.USER_REQUESTED and not self.comes_back:
            self._move(Trigger.END)
        elif not self._covered:
            self._move(Trigger.LOSS if reason.is_reactive else Trigger.PLANNED_END)

    def has_gone(self, generation: Generation) -> None:
        """A socket that was open is gone for good."""
        self._sockets.remove(generation)
        if not self.sockets:
            self._move(Trigger.GONE)
        if self.sockets <= 1 and self._waiting_for_room is not None:
            self._waiting_for_room()
        self.on_gone()

    @property
    def sockets(self) -> int:
        """How many are open, or being closed."""
        return len(self._sockets)

    # What a rotation tells and asks (rxws.types.Handover)

    def age(self) -> float | None:
        current = self.current
        if current is None or current.ended or current.opened_time is None:
            return None
        return self.now() - current.opened_time

    def room(self, then: Callable[[], None]) -> abc.DisposableBase:
        def found() -> None:
            self._waiting_for_room = None
            then()

        def forget() -> None:
            if self._waiting_for_room is found:
                self._waiting_for_room = None

        self._waiting_for_room = found
        if self.sockets <= 1:
            found()
        return Disposable(forget)

    def succeeding(self, attempt: int) -> None:
        self._succeeding = attempt

    def successor_is_live(self) -> bool:
        return self.successor is not None and self.successor.is_live

    def successor_delivers(self) -> None:
        self._covered = True

    def abandon(self) -> None:
        if self.successor is not None:
            self.successor.planned(DisconnectReason.SCHEDULED)

    def hand_over(self, reason: DisconnectReason, rule: str) -> None:
        assert self.current is not None and self.successor is not None
        self._previous, self._rule = self.current, rule
        self.current.replaced = reason
        self.current, self.successor, self._covered = self.successor, None, False

    def handed_over(self) -> None:
        previous, current = self._previous, self.current
        assert previous is not None and previous.replaced is not None and current is not None
        self._previous = None
        self.attempts.ended(previous.uptime)
        self.on_handed_over()
        self.tell(
            Rotated(
                **self._now_current(),
                previous=previous.number,
                reason=previous.replaced,
                rule=self._rule,
                uptime=previous.uptime,
                took=self.now() - current.dial_time,
            )
        )

    def is_final(self, error: Exception | None) -> bool:
        if error is None:
            return self._ended_by_user
        return isinstance(error, ConnectionClosed) and error.code in self._final_close_codes

    # What the stream tells

    def planned(self, reason: DisconnectReason) -> None:
        """All connections are about to be ended for this reason."""
        self.planned_reason = self.reason = reason
        self._covered = False
        if self.current is None or self.current.ended:  # a back-off is ended: nobody else will tell of it
            self._move(Trigger.PLANNED_END)

    def lose(self, error: Exception) -> None:
        """End the current attempt as lost by `error`; without one that has begun, nothing happens."""
        if self.current is not None and self.current.number and not self.current.ended:
            self.current.fail(error)

    def abort(self) -> None:
        """End all connections for good, at once, those too that are being closed."""
        for generation in reversed(tuple(self._sockets)):  # the successor first: it must not take over
            if generation.connection is not None:
                generation.connection.abort()

    def end(self) -> None:
        """Tell what has not been told yet; the subscription is about to be disposed."""
        self._overflows.end()

    def gave_up(self, error: Exception) -> None:
        """The error that goes to the subscriber: no attempt follows."""
        self._move(Trigger.END)
        self.tell(GaveUp(**self._now_current(), error=error, total=self.attempts.total))

    def completed(self) -> None:
        """The stream completes: no attempt follows."""
        self.end()
        self._move(Trigger.END)

    def ended_by_plan(self) -> None:
        """A planned end of a connection that had proved itself is proof: the next failure is the first in a row."""
        self.attempts.ended(self.uptime)
        self.uptime = 0.0

    def log(self, about: str, message: str, *args: object) -> None:
        """Log a nuisance, at most once a minute each."""
        now = self.now()
        if now - self._logged.get(about, -LOG_EVERY) >= LOG_EVERY:
            self._logged[about] = now
            LOG.warning(message, *args)

    def stamp(self, generation: int, origin: str) -> Stamp:
        """Return what every event tells."""
        return Stamp(
            generation=generation,
            origin=origin,
            time_ns=wall_time_ns(self.scheduler),
            state=self.state,
        )

    def tell(self, event: Event) -> None:
        """Hand an event to all who listen."""
        if self._listener is not None:
            try:
                self._listener(event)
            except RAISED as error:
                report(error)
        if self._in_stream is not None:
            try:
                self._in_stream(event)
            except RAISED as error:
                self.crashed(error)

    def _took(self, seconds: float, consumers: tuple[object, ...], generation: int | None) -> None:
        # What one of them called may have told of itself already: a listener within a read, say.
        if self.watchman is not None:
            seconds -= self.watchman.named_since(self.now() - seconds)
        names = names_behind(*consumers) if seconds >= BLOCKED else None
        if names is None:
            return
        if self.watchman is not None:
            self.watchman.named(self, seconds, names)
        self._tell_blocked(seconds, names, generation)

    def _tell_blocked(self, seconds: float, callback: str | None, generation: int | None) -> None:
        # Who listens may be slow about this one too; and who has ended it wants to hear nothing more.
        if self._telling_blocked or self.subscription.is_disposed:
            return
        stamp = self._now_current() if generation is None else self.stamp(generation, self.origin)
        self._telling_blocked = True
        self.tell(Blocked(**stamp, seconds=seconds, callback=callback))
        self._telling_blocked = False

    def _tell_overflow(self, where: str, count: int) -> None:
        self.tell(Overflow(**self._now_current(), where=where, dropped=count))

    @property
    def origin(self) -> str:
        """Where the current connection leads to, without secrets."""
        return self._origin if self.current is None else self.current.origin

    def _now_current(self) -> Stamp:
        # One that waits for its turn to dial has no number yet.
        begun = self.current is not None and self.current.number
        return self.stamp(begun or self.generation, self.origin)

    def _move(self, trigger: Trigger) -> None:
        self.state = next_state(self.state, trigger)


def _nothing() -> None: ...


def _log_words(origin: str, error: Exception | None) -> None:
    # The server's words are not ours: nowhere but here, and only for who looks closely.
    if isinstance(error, ConnectionClosed) and error.reason and LOG.isEnabledFor(logging.DEBUG):
        words = ascii(masked_text(error.reason[:LONGEST_REASON]))
        LOG.debug("%s: the server closed the connection with code %d and said %s", origin, error.code, words)


def listening(events: EventObserver | None) -> Callable[[Event], None] | None:
    """Return the function that hears of events: an observer's, or the one given."""
    if isinstance(events, abc.ObserverBase):
        return events.on_next
    return events
