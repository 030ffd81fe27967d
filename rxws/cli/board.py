"""What the demo knows: the prices, the connections, and what has happened."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from rxws import Stats
from rxws.cli.market import Market
from rxws.cli.summary import Account, Numbers
from rxws.cli.venues import Venues
from rxws.events import (
    Closed,
    Connecting,
    ConnectionState,
    DisconnectReason,
    Event,
    GaveUp,
    Live,
    Opened,
    Rotated,
    Waiting,
)
from rxws.live import Mark, Report
from rxws.live.streams import StreamState, report_of
from rxws.live.words import beside, end, way_back
from rxws.testing import SimulatedExchange

__all__ = ["Board", "Feed", "Frame", "Line"]

Frame: TypeAlias = dict[str, Any]
"""A combined frame of Binance, and which exchange it came from. Any: the values of JSON may be anything."""

LINES = 1_000

Kind: TypeAlias = Literal["fault", "lost", "left", "live"]


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened, `at` seconds after the start."""

    at: float
    who: str
    text: str
    kind: Kind


class Feed:
    """One stream: its connection as the events tell it, its counters, and the numbers of its messages."""

    def __init__(self, name: str, board: Board) -> None:
        self.name = name
        self.stats = Stats()
        self.numbers = Numbers()
        self.state = "idle"
        self.last_event = ""
        self.attempts = self.refused = self.down = 0
        self._board = board
        self._stream = StreamState()
        self._closed: Closed | None = None
        self._down_since_ns: int | None = None

    def hear(self, event: Event) -> None:
        """Take one lifecycle event."""
        mark = self._stream.hear(event, self._board.elapsed)
        if mark is not None:
            self._board.mark(self.name, mark)
        self._hear(event)
        self._board.touched()

    def report(self, now: float) -> Report:
        """Say how it is, `now` seconds after the start."""
        if self.attempts == 0:
            return Report("new", "idle")
        return report_of([self._stream], now, None)

    def _hear(self, event: Event) -> None:
        if words := beside(event):
            self._tell("left" if isinstance(event, Rotated) else "fault", words)
        rotates = self.state == "live" and event.state is ConnectionState.CONNECTED
        match event:
            case Connecting():
                self.attempts += 1
                if not rotates:
                    self.state = "connecting"
            case Opened() if not rotates:
                self.state = "open"
            case Live():
                self.state = "live"
                self._tell("live", self._alive(event))
                self.down, self._down_since_ns = 0, None
            case Closed(reason=DisconnectReason.USER_REQUESTED):
                self.state = "closed"
            case Closed():
                self._closed = event
                self.down += event.opened
                self.refused += not event.opened
                self._down_since_ns = self._down_since_ns or event.time_ns
            case Waiting() if self._closed is not None:
                self.state = "waiting"
                kind: Kind = "left" if self._closed.reason.is_proactive else "lost"
                self._tell(kind, f"{end(self._closed)}, {way_back(event)}")
            case GaveUp():
                self.state = "gave up"
                self._tell("lost", f"gave up: {event.error}")

    @property
    def proactive(self) -> int:
        """Connections that we ended, but for the end of the demo itself."""
        return self.stats.proactive_disconnects - self.stats.reasons[DisconnectReason.USER_REQUESTED]

    def account(self, exchange: SimulatedExchange) -> Account:
        """Compare with what the exchange has written down."""
        records = exchange.connections
        on_their_way = sum(number > self.numbers.last for record in records for number in record.numbers)
        reasons: dict[DisconnectReason, int] = {
            reason: count
            for reason, count in self.stats.reasons.items()
            if reason is not DisconnectReason.USER_REQUESTED
        }
        return Account(
            name=self.name,
            reasons=reasons,
            down=self.down,
            refused=self.refused,
            came=self.numbers.came,
            astray=self.numbers.astray,
            written=sum(record.messages for record in records) - on_their_way,
            missed=exchange.missed(),
        )

    def _alive(self, live: Live) -> str:
        if self._down_since_ns is None:
            return "live: the first message is here"
        return f"live again after {(live.time_ns - self._down_since_ns) / 1e9:.2f} s"

    def _tell(self, kind: Kind, text: str) -> None:
        self.last_event = text
        self._board.say(self.name, text, kind)


@dataclass
class Board:
    """All of it, and the lines of what has happened.

    Args:
        symbols: by exchange.
        seconds: how long the demo lasts.
        clock: monotonic time in seconds.
    """

    symbols: Mapping[str, Iterable[str]]
    seconds: float
    clock: Callable[[], float] = time.monotonic
    lines: deque[Line] = field(default_factory=lambda: deque(maxlen=LINES))
    said: int = 0
    """How many lines there were, those too that the deque has forgotten."""
    over: bool = False
    """Whether the script came to its end."""
    touched: Callable[[], object] = lambda: None
    """Called when something has changed."""

    def __post_init__(self) -> None:
        self._began = self.clock()
        self.feeds = {name: Feed(name, self) for name in self.symbols}
        self.venues = Venues(self.say)
        self.markets = {(name, each): Market(name, each) for name, some in self.symbols.items() for each in some}

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return self.clock() - self._began

    def say(self, who: str, text: str, kind: Kind) -> None:
        """Note what has happened."""
        self.said += 1
        self.lines.append(Line(self.elapsed, who, text, kind))
        self.touched()

    def mark(self, exchange: str, mark: Mark) -> None:
        """Note in which time an exchange had no live connection."""
        for market in self.markets.values():
            if market.exchange == exchange:
                market.mark(mark)

    def all_live(self) -> bool:
        """Whether every stream has a connection that delivers."""
        return all(feed.state == "live" for feed in self.feeds.values())

    def take(self, frame: Frame) -> None:
        """Take any message: its number, and the prices of trades and book tickers."""
        if "n" not in frame:  # the answer to SUBSCRIBE, serverShutdown
            return
        self.feeds[frame["exchange"]].numbers.take(frame["n"])
        data = frame["data"]
        market = self.markets[frame["exchange"], data["s"]]
        kind = frame["stream"].partition("@")[2]
        if kind == "aggTrade":
            market.trade(data["p"])
        elif kind == "bookTicker":
            market.quote(data["b"], data["a"], time.time_ns())
        self.touched()

    def candles(self, frames: Iterable[Frame]) -> None:
        """Take klines, as they come out of the pipeline's buffer."""
        for frame in frames:
            market = self.markets[frame["exchange"], frame["data"]["s"]]
            market.candles.take_candle(frame, 0)
            market.trade(frame["data"]["k"]["c"])
            self.touched()
