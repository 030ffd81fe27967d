"""What waits to be sent on one connection, until its limit lets it go."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from reactivex import abc
from reactivex.disposable import SerialDisposable

from rxws.errors import BufferOverflow, RxwsError
from rxws.limits import SlidingWindow
from rxws.scheduler import clock

__all__ = ["Pacer"]

WAITING = 65_536
"""Messages that may wait; Binance's 5 a second would take hours for them."""
WAITING_BYTES = 64 * 2**20
"""And their bytes."""


@dataclass(slots=True)
class Frame:
    """A message that waits."""

    write: Callable[[], None]
    size: int
    unsent: Callable[[], None] | None
    then: list[tuple[Callable[[], None], Callable[[], None]]] = field(default_factory=list)


class Pacer:
    """Sends in order, as many at a time as the limit allows.

    Args:
        window: the limit's.
        late: told of a message that waited, and could not be sent when its time came.
        scheduler: whose time.
    """

    def __init__(self, window: SlidingWindow, late: Callable[[], None], scheduler: abc.SchedulerBase) -> None:
        self._window = window
        self._late = late
        self._scheduler = scheduler
        self._now = clock(scheduler)
        self._timer = SerialDisposable()
        self._waiting: deque[Frame] = deque()
        self._bytes = 0
        self._ping: Callable[[], None] | None = None
        self._pinged = False
        self._refused = 0
        self._incomplete = False

    def send(self, write: Callable[[], None], size: int, unsent: Callable[[], None] | None = None) -> None:
        """Send a message of `size` bytes now, or as soon as those before it are sent and the limit lets it.

        Where it still waits at the end, `unsent` is called; None: it is dropped.

        Raises:
            BufferOverflow: too many wait; or the outbox is full, where it could go now.
            Disconnected: it could go now, and the connection has ended.
        """
        now = self._now()
        if not self._waiting and self._ping is None and not self._window.wait(now):
            write()
            self._window.take(now)
            self._pinged = False
            return
        if len(self._waiting) >= WAITING or self._bytes + size > WAITING_BYTES:
            self._refused += 1
            raise BufferOverflow(WAITING if len(self._waiting) >= WAITING else WAITING_BYTES, self._refused)
        self._waiting.append(Frame(write, size, unsent))
        self._bytes += size
        if len(self._waiting) == 1:
            self._go()

    def ping(self, ping: Callable[[], None]) -> None:
        """Send before all that waits, in place of a ping that waits still; between two pings a message goes."""
        self._ping = ping
        self._go()

    def answered(self) -> None:
        """A pong has been sent."""
        self._window.answered(self._now())

    def when_sent(self, action: Callable[[], None], lost: Callable[[], None]) -> None:
        """Call `action` when all that waits now is sent, at once where nothing does; `lost` where some was lost."""
        if self._waiting:
            self._waiting[-1].then.append((action, lost))
        else:
            (lost if self._incomplete else action)()

    def end(self) -> int:
        """Send nothing more, give back what is wanted back, and return how many messages are dropped."""
        self._timer.dispose()
        waited, self._waiting = self._waiting, deque()
        for frame in waited:
            if frame.unsent is not None:
                frame.unsent()
        return sum(frame.unsent is None for frame in waited)

    def _go(self, *_: object) -> None:
        while self._ping is not None or self._waiting:
            now = self._now()
            wait = self._window.wait(now)
            if wait > 0:
                self._timer.disposable = self._scheduler.schedule_relative(wait, self._go)
                return
            self._window.take(now)
            # Where pings are as frequent as the limit allows, they would leave no place for a message.
            if self._ping is not None and not (self._pinged and self._waiting):
                ping, self._ping, self._pinged = self._ping, None, True
                ping()
            else:
                self._pinged = False
                self._write(self._waiting.popleft())

    def _write(self, frame: Frame) -> None:
        self._bytes -= frame.size
        try:
            frame.write()
        except RxwsError:  # whoever sent it has gone on long ago
            self._incomplete = True
            self._late()
        for action, lost in frame.then:
            (lost if self._incomplete else action)()
