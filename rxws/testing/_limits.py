"""What a venue does not put up with: the figures, and the window in which it counts."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol

from rxws.errors import ConfigError

__all__ = ["Admission", "Limits", "Pool", "RollingWindow", "requests_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the simulated exchange enforces; by default what Binance spot does. None: no such limit.

    Args:
        messages: how many messages a connection may send within `per` seconds, PING, PONG and JSON
            together, in a strict rolling window. One more, and it is closed with 1008 "Too many
            requests".
        per: the length of that window in seconds.
        ban: for how many seconds after that every handshake is refused with status 429.
        attempts: how many handshakes within `attempts_per`; further ones are refused with status 429.
        attempts_per: the length of that window in seconds.
        connections: how many may be open; further handshakes are refused with status 429.
        streams: how many streams a connection may have. One more is answered by error 4 and close
            code 1008.
        requests: how many requests are done within `requests_per` seconds; further ones are answered
            by the venue's error. OKX counts them by connection, Coinbase all together.
        requests_per: the length of that window in seconds.
        burst: how many requests are done at once after a pause, `requests` then being what comes
            back within `requests_per`; None: the window is strict.
        subscribe_credits: how many credits there are at most for Deribit's `public/subscribe`,
            which costs 3,000; 10,000 come back each second.
        credits: how many there are for its other calls, each of which costs 500; 10,000 come back
            each second.
        first_request: seconds within which a client must have subscribed; else it is closed.
        idle: seconds without a frame in either direction after which a connection ends, as its
            venue ends it.
        heartbeat: seconds between Coinbase's heartbeats of a product.
        min_heartbeat: the fewest seconds that Deribit's `set_heartbeat` takes.
        heartbeat_timeout: seconds in which Deribit's `test_request` must be answered; else 4000.
        ping_interval: seconds between the server's pings.
        pong_timeout: seconds in which a ping must be answered by a pong with its payload; else 1008
            "Pong timeout".
        max_age: seconds that a connection may live, then it is closed with 1001; 24 hours, to be
            scaled down.
        max_age_jitter: how much earlier that may happen, by chance, as a fraction from 0 to 1 of
            `max_age`.
        notice: how many seconds before that end the venue's notice is sent; None: never.
        backlog: bytes that may wait for a client that does not read. Beyond, its connection is
            reset.
        close_timeout: seconds that a client has to answer a close frame before its connection is
            reset.

    Raises:
        ConfigError: a figure is out of its range.

    Source: Binance, "WebSocket Streams for Binance" (web-socket-streams.md, 2026-07-21), section
    "WebSocket Limits". That the window is strict, and the ban of about two minutes, are what users
    have seen. `backlog` and `close_timeout` are ours. Of the other venues `Limits.of` has the figures.

    >>> Limits(max_age=2.0, notice=0.5).messages
    5
    >>> Limits.off().messages is None
    True
    """

    messages: int | None = 5
    per: float = 1.0
    ban: float | None = 120.0
    attempts: int | None = 300
    attempts_per: float = 300.0
    connections: int | None = None
    streams: int | None = 1024
    requests: int | None = None
    requests_per: float = 1.0
    burst: int | None = None
    subscribe_credits: float | None = None
    credits: float | None = None
    first_request: float | None = None
    idle: float | None = None
    heartbeat: float | None = None
    min_heartbeat: float = 0.001
    heartbeat_timeout: float | None = None
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
    def of(cls, venue: str) -> Limits:
        """What a venue enforces, to be changed by `dataclasses.replace`.

        Args:
            venue: "binance", "binance_usdm", "deribit", "okx" or "coinbase_exchange"; the
                recordings "spot" and "usdm" are played under the figures of Binance spot.

        Raises:
            ConfigError: there is no such venue.

        Source: the venues' own pages, read 2026-11-20: Binance, "WebSocket Limits" of spot and of the
        USD-M futures; Deribit, "Rate limits" and "Connection management best practices"; OKX v5,
        "WebSocket / Connect"; Coinbase Exchange, "WebSocket rate limits". That Deribit ends an idle
        connection after a minute, and counts 32 connections, was measured by others.

        >>> Limits.of("okx").idle, Limits.of("coinbase_exchange").first_request
        (30.0, 5.0)
        >>> from dataclasses import replace
        >>> replace(Limits.of("deribit"), idle=0.5).credits
        50000.0
        """
        if venue not in _OF:
            raise ConfigError("venue", f"{venue!r} is unknown; take one of {list(_OF)}")
        own = _OF[venue]
        return cls(**own) if venue in _BINANCE else replace(cls.off(), backlog=64 * 2**20, close_timeout=10.0, **own)

    @classmethod
    def off(cls) -> Limits:
        """No limits at all: whatever a client does, and however long, is put up with.

        Coinbase's heartbeats, which are no limit, come once a second all the same.
        """
        return cls(
            messages=None,
            ban=None,
            attempts=None,
            streams=None,
            heartbeat=1.0,
            ping_interval=None,
            pong_timeout=None,
            max_age=None,
            backlog=None,
            close_timeout=None,
        )


_BINANCE = ("spot", "usdm", "binance", "binance_usdm")
# Any: figures of several types, checked by Limits itself.
_OF: dict[str, dict[str, Any]] = {
    "spot": {},
    "usdm": {},
    "binance": {},
    "binance_usdm": {"messages": 10, "ping_interval": 180.0, "pong_timeout": 600.0},
    "deribit": {
        "connections": 32,
        "subscribe_credits": 30_000.0,
        "credits": 50_000.0,
        "idle": 60.0,
        "min_heartbeat": 10.0,
        "heartbeat_timeout": 10.0,
    },
    "okx": {"requests": 480, "requests_per": 3_600.0, "attempts": 3, "attempts_per": 1.0, "idle": 30.0},
    "coinbase_exchange": {"requests": 8, "burst": 20, "first_request": 5.0, "heartbeat": 1.0},
}


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


class Pool:
    """Credits that are spent and come back: `size` at most, `refill` each second; None admits all."""

    def __init__(self, size: float | None, refill: float, cost: float = 1.0) -> None:
        self._size = size
        self._refill = refill
        self._cost = cost
        self._left = size or 0.0
        self._at = 0.0

    def admit(self, now: float) -> bool:
        """Whether one more at `now`, in seconds of any clock, can be paid for."""
        if self._size is None:
            return True
        self._left = min(self._size, self._left + (now - self._at) * self._refill)
        self._at = now
        if self._left < self._cost:
            return False
        self._left -= self._cost
        return True


class Admission(Protocol):
    """A limit that counts."""

    def admit(self, now: float) -> bool:
        """Whether one more at `now` is within it."""


def requests_of(limits: Limits) -> Admission:
    """What counts the requests: a strict window, or a pool that a pause fills."""
    if limits.requests is None or limits.burst is None:
        return RollingWindow(limits.requests, limits.requests_per)
    return Pool(limits.burst, limits.requests / limits.requests_per)
