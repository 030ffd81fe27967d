"""Counters of one or several connections, and the rate of what they receive."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Callable
from math import inf

from rxws.errors import ConfigError
from rxws.events import DisconnectReason
from rxws.types import Connection

__all__ = ["Stats"]

SAMPLE_EVERY = 0.25
"""Seconds between two samples of the message count, and how far a rate's window is off at most."""
LONGEST_RATE = 300.0
"""Seconds that the samples reach back."""


class Stats:
    """What a stream has done so far, counted at the wire.

    Pass it to `ws_observable(stats=…)` or `operators.record_stats`, and read it whenever you like; several streams may
    count into one. Times are of the loop's monotonic clock, in seconds; None where it has not happened yet.

    Attributes:
        connects: connections that opened.
        disconnects: connections that ended; the sum of the two below.
        proactive_disconnects: those that we ended.
        reactive_disconnects: those that ended on us.
        reasons: how many ended for which `DisconnectReason`.
        dropped: messages that found no room, or no connection to be sent on.
        bad_frames: messages that could not be decoded.
        late: messages that came from a connection that had already ended for us.
        last_connect_time, last_disconnect_time: when.

    >>> Stats()
    <Stats: 0 connects, 0 disconnects (0 proactive, 0 reactive), 0 messages in, 0 out, up 0.0 s>
    """

    def __init__(self) -> None:
        self._live: dict[Connection, tuple[int, int, int, int]] = {}
        self._clock: Callable[[], float] = float
        self.reset()

    def reset(self) -> None:
        """Begin again at zero; connections that are open now count on from here."""
        self.connects = self.disconnects = 0
        self.proactive_disconnects = self.reactive_disconnects = 0
        self.dropped = self.bad_frames = self.late = 0
        self.reasons: Counter[DisconnectReason] = Counter()
        self.last_connect_time: float | None = None
        self.last_disconnect_time: float | None = None
        self._ended = (0, 0, 0, 0)
        self._ended_uptime = 0.0
        self._last_uptime = 0.0
        self._last_message_time: float | None = None
        self._began = self._clock()
        self._live = {connection: _counters(connection) for connection in self._live}
        # When how many messages had come. Two samples in a row span `SAMPLE_EVERY` or more.
        self._samples = deque([(self._began, 0)], maxlen=2 * int(LONGEST_RATE / SAMPLE_EVERY) + 2)

    @property
    def messages_received(self) -> int:
        """Whole messages that came."""
        return self._sum(0)

    @property
    def bytes_received(self) -> int:
        """Their payloads' bytes."""
        return self._sum(1)

    @property
    def messages_sent(self) -> int:
        """Messages that were sent."""
        return self._sum(2)

    @property
    def bytes_sent(self) -> int:
        """Their payloads' bytes."""
        return self._sum(3)

    @property
    def uptime(self) -> float:
        """Seconds with an open connection in all; two at once count twice."""
        now = self._clock()
        return self._ended_uptime + sum(now - self._since(each) for each in self._live)

    @property
    def connection_time(self) -> float:
        """Seconds that the newest connection has been open; once it has ended, how long it had been."""
        if not self._live:
            return self._last_uptime
        return self._clock() - max(each.opened_time for each in self._live)

    @property
    def last_message_time(self) -> float | None:
        """When the last message came."""
        since = (each.last_message_time for each, start in self._live.items() if each.messages_received > start[0])
        times = [self._last_message_time, *since]
        return max((time for time in times if time is not None), default=None)

    def rate(self, seconds: float = 10.0) -> float:
        """Return the messages received a second, over the last `seconds` (0 < seconds <= 300).

        Raises:
            ConfigError: `seconds` is out of its range.
        """
        if not isinstance(seconds, (int, float)) or not 0 < seconds <= LONGEST_RATE:
            raise ConfigError("seconds", f"{seconds!r} is out of range; take more than 0 and at most {LONGEST_RATE:g}")
        now = self._clock()
        start, before = self._samples[0]
        if now - seconds > start:
            start = now - seconds
            before = self._received_by(start)
        return (self.messages_received - before) / (now - start) if now > start else 0.0

    def attach(self, connection: Connection, clock: Callable[[], float]) -> None:
        """Count `connection`, which has just opened, until `detach`."""
        if not (self._live or self.disconnects):
            self._clock = clock
            self._samples[0] = (clock(), 0)
            self._began = clock()
        self.connects += 1
        self.last_connect_time = clock()
        self._live[connection] = (0, 0, 0, 0)

    def detach(self, connection: Connection, reason: DisconnectReason) -> None:
        """Keep what `connection`, which has just ended for `reason`, had counted."""
        now = self._clock()
        last_message_time = self.last_message_time
        start = self._live.pop(connection, None)
        if start is None:
            return
        gained = (now_ - then for now_, then in zip(_counters(connection), start, strict=True))
        self._ended = tuple(a + b for a, b in zip(self._ended, gained, strict=True))  # type: ignore[assignment]
        self._last_uptime = now - connection.opened_time
        self._ended_uptime += now - self._since(connection)
        self._last_message_time = last_message_time
        self.disconnects += 1
        self.reasons[reason] += 1
        self.last_disconnect_time = now
        if reason.is_proactive:
            self.proactive_disconnects += 1
        else:
            self.reactive_disconnects += 1

    def sample(self, now: float) -> None:
        """Note the message count for `rate`; called once a read, before its messages."""
        if now - self._samples[-1][0] >= SAMPLE_EVERY:
            count, last = self.messages_received, self.last_message_time
            if last is not None and count > self._samples[-1][1]:
                self._samples.append((last, count))

    def __repr__(self) -> str:
        lost = "".join(
            f", {count} {name}"
            for name, count in (("dropped", self.dropped), ("bad frames", self.bad_frames), ("late", self.late))
            if count
        )
        return (
            f"<Stats: {self.connects} connects, {self.disconnects} disconnects "
            f"({self.proactive_disconnects} proactive, {self.reactive_disconnects} reactive), "
            f"{self.messages_received} messages in, {self.messages_sent} out{lost}, up {self.uptime:.1f} s>"
        )

    def _sum(self, which: int) -> int:
        return self._ended[which] + sum(
            _counters(connection)[which] - start[which] for connection, start in self._live.items()
        )

    def _received_by(self, time: float) -> int:
        last = self.last_message_time
        if last is None or last <= time:
            return self.messages_received
        return self._samples[bisect_right(self._samples, (time, inf)) - 1][1]

    def _since(self, connection: Connection) -> float:
        return max(connection.opened_time, self._began)


def _counters(connection: Connection) -> tuple[int, int, int, int]:
    return (
        connection.messages_received,
        connection.bytes_received,
        connection.messages_sent,
        connection.bytes_sent,
    )
