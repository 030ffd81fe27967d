"""What one subscription knows of itself: it outlives the attempts, and is the journal of them all."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypedDict

from reactivex import abc
from reactivex.disposable import SerialDisposable

from rxws.errors import ConnectionClosed, ConnectionFailed, ConnectTimeout, DecodeError, Disconnected
from rxws.events import (
    BadFrame,
    Closed,
    Connecting,
    ConnectionState,
    DisconnectReason,
    Event,
    GaveUp,
    Live,
    Opened,
    Overflow,
    Stale,
    Subscribed,
    Trigger,
    Waiting,
    next_state,
    reason_of,
)
from rxws.operators._attempts import Attempts
from rxws.redaction import escaped, masked, masked_text
from rxws.scheduler import clock, report, wall_time_ns
from rxws.stats import Stats
from rxws.types import Connection

__all__ = ["EventObserver", "Lifecycle"]

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
    """The state of one subscription: generation, attempts, reasons, events; the `Journal` of its connections.

    Args:
        scheduler: whose time.
        stable_after: seconds after which a connection has proved itself.
        stats: what to count into; None: one of its own.
        events: who hears of the events; an observer or a function.
        in_stream: takes the events that travel in the stream itself; what it raises is the consumer's.
        origin: the URL, its secrets are masked here.
    """

    def __init__(
        self,
        scheduler: abc.SchedulerBase,
        *,
        stable_after: float,
        stats: Stats | None = None,
        events: EventObserver | None = None,
        in_stream: Callable[[Event], None] | None = None,
        origin: str = "",
    ) -> None:
        self.generation = 0
        self.state = ConnectionState.DISCONNECTED
        self.stats = Stats() if stats is None else stats
        self.attempts = Attempts(stable_after)
        self.reason: DisconnectReason | None = None
        self.uptime = 0.0
        self.finished = False
        self.last_dial_time: float | None = None
        self.not_before = 0.0
        self.subscription = SerialDisposable()
        self._in_stream = in_stream
        self.scheduler = scheduler
        self.now = clock(scheduler)
        self._origin = masked(origin)
        self._planned: DisconnectReason | None = None
        self._listener = _listener(events)
        self._logged: dict[str, float] = {}

    # What the attempts tell (rxws.types.Journal)

    def connecting(self, url: str) -> int:
        self.generation += 1
        self._planned = None
        self.last_dial_time = self.now()
        self._move(Trigger.DIAL)
        if url:
            self._origin = masked(url)
        self._tell(Connecting(**self._stamp(), attempt=self.attempts.in_a_row + 1))
        return self.generation

    def opened(self, connection: Connection) -> None:
        self._origin = connection.url
        self._move(Trigger.OPEN)
        self._tell(Opened(**self._stamp(), took=connection.dial_time, subprotocol=connection.subprotocol))

    def subscribed(self, count: int) -> None:
        self._tell(Subscribed(**self._stamp(), count=count))

    def live(self, connection: Connection) -> None:
        self._tell(Live(**self._stamp(), after=self.now() - connection.opened_time))

    def planned(self, reason: DisconnectReason) -> None:
        self._planned = self.reason = reason

    def closed(self, error: Exception | None, uptime: float, opened: bool) -> DisconnectReason:
        if not isinstance(error, Disconnected):  # a wrong URL, say: nothing that the network did
            reason = self._planned or DisconnectReason.USER_REQUESTED
        else:
            reason = reason_of(error)
        self.reason, self.uptime = reason, uptime
        _log_words(self._origin, error)
        if isinstance(error, ConnectionFailed):
            error.attempts = self.attempts.in_a_row + 1
        if reason is DisconnectReason.USER_REQUESTED:
            self._move(Trigger.END)
        else:
            self._move(Trigger.LOSS if reason.is_reactive else Trigger.PLANNED_END)
        self._tell(Closed(**self._stamp(), reason=reason, error=error, uptime=uptime, opened=opened))
        return reason

    def gone(self) -> None:
        self._move(Trigger.GONE)

    def late(self) -> None:
        self.stats.late += 1

    def dropped(self, where: str, count: int = 1) -> None:
        self.stats.dropped += count
        self.log(f"dropped {where}", "%s: %d dropped, for there was no room in %s", self._origin, count, where)
        self._tell(Overflow(**self._stamp(), where=where, dropped=count))

    def bad_frame(self, error: DecodeError) -> None:
        self.stats.bad_frames += 1
        self._tell(BadFrame(**self._stamp(), error=error, count=self.stats.bad_frames))
        self.log(
            "bad frame",
            "%s: skipped a message of %d bytes that cannot be decoded: %s",
            self._origin,
            len(error.frame),
            error.problem,
        )

    def stale(self, idle: float) -> None:
        self._tell(Stale(**self._stamp(), idle=idle))

    def waiting(self, seconds: float | None, rule: str, error: Exception | None = None) -> None:
        attempt = self.attempts.in_a_row + 1
        # A connection that was lost and comes back is the stream's daily work; one that does not come about is news.
        if isinstance(error, ConnectionFailed | ConnectTimeout) or (error and attempt > NOTEWORTHY):
            where = "" if isinstance(error, ConnectionFailed) else f"{self._origin}: "
            self.log("loss", "%s%s; attempt %d follows", where, error, attempt)
        if seconds is not None and rule in ("retry after", "pause"):
            # The server's own wish, or a pause that protects us from it: a planned end meanwhile does not cut it.
            self.not_before = max(self.not_before, self.now() + seconds)
        self._tell(Waiting(**self._stamp(), seconds=seconds, rule=rule, attempt=attempt, error=error))

    def crashed(self, error: BaseException) -> bool:
        self._in_stream = None  # who raised is told nothing more, not even Closed
        self.subscription.dispose()
        report(error, self.scheduler)
        return True

    # What the stream tells

    def gave_up(self, error: Exception) -> None:
        """The error that goes to the subscriber: no attempt follows."""
        self._move(Trigger.END)
        self._tell(GaveUp(**self._stamp(), error=error, total=self.attempts.total))

    def completed(self) -> None:
        """The stream completes: no attempt follows."""
        self._move(Trigger.END)

    def ended_by_plan(self) -> None:
        """A planned end of a connection that had proved itself is proof: the next failure is the first in a row."""
        self.attempts.ended(self.uptime)
        self.uptime = 0.0

    def callback_failed(self, name: str, error: Exception) -> None:
        """A condition of the caller's raised; it changes nothing."""
        words = escaped(masked_text(repr(error)))
        self.log(name, "%s: %s raised %s; it changes nothing", self._origin, name, words)

    def log(self, about: str, message: str, *args: object) -> None:
        """Log a nuisance, at most once a minute each."""
        now = self.now()
        if now - self._logged.get(about, -LOG_EVERY) >= LOG_EVERY:
            self._logged[about] = now
            LOG.warning(message, *args)

    def _stamp(self) -> Stamp:
        return Stamp(
            generation=self.generation,
            origin=self._origin,
            time_ns=wall_time_ns(self.scheduler),
            state=self.state,
        )

    def _move(self, trigger: Trigger) -> None:
        self.state = next_state(self.state, trigger)

    def _tell(self, event: Event) -> None:
        if self._listener is not None:
            try:
                self._listener(event)
            except Exception as error:
                report(error)
        if self._in_stream is not None:
            try:
                self._in_stream(event)
            except Exception as error:
                self.crashed(error)


def _log_words(origin: str, error: Exception | None) -> None:
    # The server's words are not ours: nowhere but here, and only for who looks closely.
    if isinstance(error, ConnectionClosed) and error.reason and LOG.isEnabledFor(logging.DEBUG):
        words = ascii(masked_text(error.reason[:LONGEST_REASON]))
        LOG.debug("%s: the server closed the connection with code %d and said %s", origin, error.code, words)


def _listener(events: EventObserver | None) -> Callable[[Event], None] | None:
    if isinstance(events, abc.ObserverBase):
        return events.on_next
    return events
