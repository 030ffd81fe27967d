"""What the exchange asks of a venue's protocol, whichever venue it is."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

__all__ = ["BadTarget", "Beat", "Page", "Reply", "Session", "Topic", "VenueProtocol"]


class BadTarget(Exception):
    """The handshake asks for what is not there: the HTTP status and the text to refuse it with."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(status, text)
        self.status = status
        self.text = text


@dataclass(frozen=True, slots=True)
class Reply:
    """What one request leads to.

    Args:
        texts: what goes back, in its order.
        method: what was asked, in the venue's words; INVALID if it was nothing.
        fresh: the topics that are listened to from now on, and were not before.
        close: with which code and reason the connection ends after the texts; None: it goes on.
        broken: which limit the request broke, if any.
        acknowledges: whether it is the answer to a request, and not to a ping.
    """

    texts: tuple[bytes, ...]
    method: str
    fresh: tuple[str, ...] = ()
    close: tuple[int, str] | None = None
    broken: str | None = None
    acknowledges: bool = True


@dataclass(frozen=True, slots=True)
class Beat:
    """A heartbeat: what is sent, and whether it must be answered."""

    texts: tuple[bytes, ...]
    asks: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """What a request over HTTP is answered with."""

    status: int
    body: bytes


class Session(Protocol):
    """One connection, as the protocol knows it."""

    @property
    def served(self) -> Mapping[str, None]:
        """The topics whose messages it gets."""

    @property
    def variant(self) -> Hashable:
        """What tells the ways apart in which one message may be written to different connections."""

    @property
    def beat(self) -> float | None:
        """Seconds between heartbeats; None: there are none."""

    @property
    def asked(self) -> bool:
        """Whether an answer to a heartbeat is due."""

    def answer(self, text: bytes, now_ms: int, now: float) -> Reply:
        """What follows from a message of the client, at `now` seconds of the exchange's clock."""

    def wrap(self, stream: str, text: bytes, number: int) -> bytes:
        """A message of the market as this connection gets it."""

    def heartbeat(self, now_ms: int, idle: bool) -> Beat:
        """The next heartbeat; `idle`: nothing else was sent since the last one."""

    def shutdown_notice(self, now_ms: int) -> bytes | None:
        """What announces a planned end; None: nothing does."""

    def error(self) -> bytes:
        """An error that says not to what."""

    def unknown(self) -> bytes:
        """An event that no client knows."""


class Topic(Protocol):
    """One topic: what is told of it next."""

    def tell(self, now_ms: int) -> str:
        """Its next message; the market moves on where there would be none."""

    def first(self, now_ms: int) -> str | None:
        """What one gets who has just subscribed; None: nothing."""

    def ended(self, now_ms: int) -> str | None:
        """The message that closes a candle whose time is over."""

    @property
    def end(self) -> float:
        """When its candle is over, in milliseconds; infinite where it has none."""

    def close(self) -> None:
        """Nobody wants it any more."""


class VenueProtocol(Protocol):
    """A venue: its market, and what it says of it."""

    idle_close: tuple[int, str] | None
    """With what it ends a connection on which nothing happens; None: TCP just ends."""

    endpoints: Mapping[str, str]
    """Paths by their names, the usual one first; "" has no name."""

    @property
    def streams(self) -> tuple[str, ...]:
        """The topics that there are, or the usual ones where there is no end to them."""

    def knows(self, stream: str) -> bool:
        """Whether there is such a topic."""

    def opened_by(self, target: str) -> Session:
        """A connection to `target`, path and query of its URL.

        Raises:
            BadTarget: such a URL is refused.
        """

    def next(self, now_ms: int, among: Collection[str]) -> tuple[str, bytes]:
        """The topic and the text of what happens next; of the topics `among`, if any."""

    def first(self, stream: str, now_ms: int) -> bytes | None:
        """What one gets who has just subscribed to a topic."""

    def forget(self, streams: Iterable[str]) -> None:
        """Nobody wants these topics any more."""

    def page(self, target: str, now_ms: int) -> Page | None:
        """What a request over HTTP is answered with; None: it is none."""
