"""What one subscription knows of itself: it outlives the attempts, and is the logbook of them all."""

from __future__ import annotations

from collections.abc import Callable, Collection

from reactivex import abc
from reactivex.disposable import SerialDisposable

from rxws.errors import ConnectionClosed, ConnectionFailed, ConnectTimeout
from rxws.events import (
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
from rxws.operators._overflows import Overflows
from rxws.redaction import escaped, masked, masked_text
from rxws.scheduler import clock, report, wall_time_ns
from rxws.stats import Stats
from rxws.succession import Succession
from rxws.telling import EventObserver, Telling, log_words
from rxws.types import Stamp
from rxws.watchman import Watchman

__all__ = ["Lifecycle"]

NOTEWORTHY = 3
"""Losses in a row that are not worth a log record."""


class Lifecycle(Succession):
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
        super().__init__(clock(scheduler))
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
        self.scheduler = scheduler
        self.on_gone: Callable[[], None] = _nothing
        self.on_handed_over: Callable[[], None] = _nothing
        self._ended_by_user = False
        self._final_close_codes = final_close_codes
        self._origin = masked(origin)
        self._overflows = Overflows(scheduler, self._tell_overflow)
        self._telling = telling = Telling(
            self.now, self.stamp, events, in_stream, consumers, self.crashed, lambda: self.subscription.is_disposed
        )
        self.tell, self.log, self.timed, self.was_slow = telling.tell, telling.log, telling.timed, telling.was_slow

    # What the attempts tell (rxws.types.Logbook)

    def attempt(self, fail: Callable[[Exception], None]) -> Generation:
        generation = Generation(self, self.origin, fail, self.next_attempt(self.attempts.in_a_row))
        self.add(generation)
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
        self.tell(Waiting(**self.stamp(), seconds=seconds, rule=rule, attempt=attempt, error=error))

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
        self._telling.leave_stream()
        self.subscription.dispose()
        report(error, self.scheduler)
        return True

    # What the watchman tells (rxws.watchman.Watched)

    def watch(self, watchman: Watchman) -> abc.DisposableBase:
        """Hear from `watchman`, until this is disposed."""
        return self._telling.watch(watchman, self)

    def suspended(self, seconds: float) -> None:
        # What failed before was the fault of a network that was asleep too.
        self.attempts.in_a_row = 0
        self.tell(Suspended(**self.stamp(), seconds=seconds))
        for generation in (self.current, self.successor):
            if generation is not None and generation.connection is not None:
                generation.connection.probe()

    def blocked(self, seconds: float, callback: str | None) -> None:
        self._telling.blocked(seconds, callback)

    # What the generations tell

    def dialling(self, generation: Generation) -> int:
        """An attempt begins; return its number."""
        self.generation += 1
        self.last_dial_time = self.now()
        if not self.dials(generation):
            self.planned_reason = None
            self._move(Trigger.DIAL)
        return self.generation

    def has_opened(self, generation: Generation) -> None:
        """A socket is open."""
        self.opened(generation)
        self._move(Trigger.OPEN)

    def plans(self, generation: Generation, reason: DisconnectReason) -> None:
        """A generation is about to be ended."""
        if generation is not self.successor:
            self.reason = reason

    def has_ended(self, generation: Generation, reason: DisconnectReason, error: Exception | None) -> None:
        """A generation has ended, and nothing took its place yet."""
        log_words(generation.origin, error)
        self._ended_by_user = error is None and reason is DisconnectReason.USER_REQUESTED
        if isinstance(error, ConnectionFailed):
            error.attempts = generation.attempt
        if generation is self.successor:
            self.successor, self.covered = None, False
            return
        self.reason, self.uptime = reason, generation.uptime
        if reason is DisconnectReason.USER_REQUESTED and not self.comes_back:
            self._move(Trigger.END)
        elif not self.covered:
            self._move(Trigger.LOSS if reason.is_reactive else Trigger.PLANNED_END)

    def has_gone(self, generation: Generation) -> None:
        """A socket that was open is gone for good."""
        if self.sockets == 1:
            self._move(Trigger.GONE)
        self.gone(generation)
        self.on_gone()

    # What a rotation tells and asks beside its succession (rxws.types.Handover)

    def handed_over(self) -> None:
        previous, current = self.previous, self.current
        assert previous is not None and previous.replaced is not None and current is not None
        self.previous = None
        self.attempts.ended(previous.uptime)
        self.on_handed_over()
        self.tell(
            Rotated(
                **self.stamp(),
                previous=previous.number,
                reason=previous.replaced,
                rule=previous.replaced_by,
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
        self.covered = False
        if self.current is None or self.current.ended:  # a back-off is ended: nobody else will tell of it
            self._move(Trigger.PLANNED_END)

    def lose(self, error: Exception) -> None:
        """End the current attempt as lost by `error`; without one that has begun, nothing happens."""
        if self.current is not None and self.current.number and not self.current.ended:
            self.current.fail(error)

    def end(self) -> None:
        """Tell what has not been told yet; the subscription is about to be disposed."""
        self._overflows.end()

    def gave_up(self, error: Exception) -> None:
        """The error that goes to the subscriber: no attempt follows."""
        self._move(Trigger.END)
        self.tell(GaveUp(**self.stamp(), error=error, total=self.attempts.total))

    def completed(self) -> None:
        """The stream completes: no attempt follows."""
        self.end()
        self._move(Trigger.END)

    def ended_by_plan(self) -> None:
        """A planned end of a connection that had proved itself is proof: the next failure is the first in a row."""
        self.attempts.ended(self.uptime)
        self.uptime = 0.0

    @property
    def origin(self) -> str:
        """Where the current connection leads to, without secrets."""
        return self._origin if self.current is None else self.current.origin

    def stamp(self, generation: int | None = None, origin: str | None = None) -> Stamp:
        """Return what every event tells: of a generation, None: of the current one."""
        if generation is None:  # one that waits for its turn to dial has no number yet
            generation = (self.current is not None and self.current.number) or self.generation
        return Stamp(
            generation=generation,
            origin=self.origin if origin is None else origin,
            time_ns=wall_time_ns(self.scheduler),
            state=self.state,
        )

    def _tell_overflow(self, where: str, count: int) -> None:
        self.tell(Overflow(**self.stamp(), where=where, dropped=count))

    def _move(self, trigger: Trigger) -> None:
        self.state = next_state(self.state, trigger)


def _nothing() -> None: ...
