"""What a venue does not put up with: the figures, and the window in which it counts."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, fields

from rxws.errors import ConfigError

__all__ = ["Limits", "RollingWindow"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the simulated exchange enforces; by default what Binance does. None: no such limit.

    Args:
        messages: how many messages a connection may send within `per` seconds, PING, PONG and JSON
            together, in a strict rolling window. One more, and it is closed with 1008 "Too many
            requests".
        per: the length of that window in seconds.
        ban: for how many seconds after that every handshake is refused with status 429.
        attempts: how many handshakes within five minutes; further ones are refused with status 429.
        streams: how many streams a connection may have. One more is answered by error 4 and close
            code 1008.
        ping_interval: seconds between the server's pings.
        pong_timeout: seconds in which a ping must be answered by a pong with its payload; else 1008
            "Pong timeout".
        max_age: seconds that a connection may live, then it is closed with 1001; 24 hours, to be
            scaled down.
        max_age_jitter: how much earlier that may happen, by chance, as a fraction from 0 to 1 of
            `max_age`.
        notice: how many seconds before that end `serverShutdown` is sent; None: never.
        backlog: bytes that may wait for a client that does not read. Beyond, its connection is
            reset.
        close_timeout: seconds that a client has to answer a close frame before its connection is
            reset.

    Raises:
        ConfigError: a figure is out of its range.

    Source: Binance, "WebSocket Streams for Binance" (web-socket-streams.md, 2026-07-21), section
    "WebSocket Limits". That the window is strict, and the ban of about two minutes, are what users
    have seen. `backlog` and `close_timeout` are ours.

    >>> Limits(max_age=2.0, notice=0.5).messages
    5
    >>> Limits.off().messages is None
    True
    """

    messages: int | None = 5
    per: float = 1.0
    ban: float | None = 120.0
    attempts: int | None = 300
    streams: int | None = 1024
    ping_interval: float | None = 20.0
    pong_timeout: float | None = 60.0
    max_age: float | None = 86_400.0
    max_age_jitter: float = 0.0
    notice: float | None = None
    backlog: int | None = 64 * 2**20
    close_timeout: float | None = 10.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in ("ban", "notice", "max_age_jitter"):
                wrong, right = value is not None and value < 0, "0 or more"
            else:
                wrong, right = value is not None and value <= 0, "more than 0"
            if wrong:
                raise ConfigError(field.name, f"{value} is out of range; take {right}")
        if self.max_age_jitter > 1:
            raise ConfigError("max_age_jitter", f"{self.max_age_jitter} is a fraction; take 0 to 1")

    @classmethod
    def off(cls) -> Limits:
        """No limits at all: whatever a client does, and however long, is put up with."""
        return cls(
            messages=None,
            ban=None,
            attempts=None,
            streams=None,
            ping_interval=None,
            pong_timeout=None,
            max_age=None,
            backlog=None,
            close_timeout=None,
        )


class RollingWindow:
    """Admits `limit` events in any `per` seconds, measured back from each; None admits all."""

    def __init__(self, limit: int | None, per: float) -> None:
        self._limit = limit
        self._per = per
        self._times: deque[float] = deque(maxlen=limit or 0)

    def admit(self, now: float) -> bool:
        """Whether one more at `now`, in seconds of any clock, is within the limit."""
        if len(self._times) == self._limit and now - self._times[0] < self._per:
            return False
        self._times.append(now)
        return True
