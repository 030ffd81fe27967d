"""The words that venues share: what one of their messages is, what asks for topics, and what they put up with.

A venue is a module of `rxws.exchanges`, and `Venue` says what is in it. A topic is a string, as the venue's own
documentation writes it where it does ("btcusdt@trade", "book.BTC-PERPETUAL.100ms"), else "channel:symbol".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal, NamedTuple, Protocol, TypeAlias

from rxws.errors import Table
from rxws.gaps import Rule
from rxws.limits import SendLimit
from rxws.market import BookSnapshot, LastTrade, MarketEvent

__all__ = ["Action", "Frame", "Heartbeat", "Kind", "Rate", "Reply", "Request", "Rules", "Snapshots", "Venue"]

Action: TypeAlias = Literal["subscribe", "unsubscribe"]


class Kind(Enum):
    """What a message of a venue is."""

    DATA = "data"
    ACKNOWLEDGEMENT = "acknowledgement"
    ERROR = "error"
    HEARTBEAT = "heartbeat"
    NOTICE = "notice"
    UNKNOWN = "unknown"


class Frame(NamedTuple):
    """One message of a venue, as far as its envelope says.

    Args:
        kind: what it is.
        topic: whose data it is; None where it is no data, or does not say.
        ends: whether it announces that the venue is about to close the connection.
        answer: what a heartbeat wants to be answered with; None: nothing.
        proof: which trade a heartbeat says was the last one; None: it does not say.
    """

    kind: Kind
    topic: str | None = None
    ends: bool = False
    answer: str | None = None
    proof: LastTrade | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """A message that asks for topics, or ends them; `id` is the number in it, or of it where the venue has none."""

    id: int
    action: Action
    topics: tuple[str, ...]
    payload: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What an answer of a venue says about a request.

    Args:
        request: the request that it answers.
        confirmed: topics that are subscribed, or unsubscribed, as it asked.
        rejected: topics that are refused.
        innocent: topics that were refused only because they were asked for together with others: ask for them again, by
            themselves.
        later: topics that are neither subscribed nor refused, because the venue was asked too often: ask again after a
            pause.
        problem: what the venue says is wrong; empty where nothing is.
    """

    request: Request
    confirmed: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()
    innocent: tuple[str, ...] = ()
    later: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What a client sends so that the venue keeps the connection: `payload` after `every` seconds of silence."""

    every: float
    payload: str


@dataclass(frozen=True, slots=True)
class Rate:
    """How often an address may do something: `count` times in any `per` seconds, `spacing` seconds apart."""

    count: int
    per: float
    spacing: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a venue puts up with; None: no such limit that is known.

    Args:
        send: messages that a connection may send.
        requests: how often an address may ask for topics, or end some, on all its connections together.
        topics: that a connection may have.
        batch: topics in one request.
        batch_bytes: the length of one request.
        dials: how often an address may dial.
        first_subscribe: seconds after the handshake in which a client must have subscribed.
        max_age: seconds that a connection lives.
        silence: seconds without any message after which a connection is as good as lost, where the venue has something
            to say however quiet the market is; None: it has not, and only WebSocket's own pings tell.
    """

    send: SendLimit | None
    requests: Rate | None = None
    topics: int | None
    batch: int
    batch_bytes: int | None = None
    dials: Rate | None
    first_subscribe: float | None
    max_age: float | None
    silence: float | None


@dataclass(frozen=True, slots=True)
class Snapshots:
    """How to get an order book as a whole by HTTP.

    Args:
        url: of a symbol's book.
        decode: makes of the answer's body, and the symbol, a snapshot.
        rate: how often an address may ask for one.
        are_needed: whether the stream tells nothing but what changes; else it begins with a snapshot of its own.
    """

    url: Callable[[str], str]
    decode: Callable[[bytes, str], BookSnapshot]
    rate: Rate
    are_needed: bool = True


class Venue(Protocol):
    """What every module of `rxws.exchanges` answers. All of it is pure."""

    NAME: str
    """The name of the module."""

    BASE: str
    """Scheme and host."""

    ENDPOINTS: Mapping[str, str]
    """The paths by class of topics; where a venue has one, its class is "public"."""

    RULES: Rules
    GREETINGS: tuple[str, ...]
    """What is sent first on each connection, before any topic is asked for."""

    HEARTBEAT: Heartbeat | None
    """What the client sends when nothing came for a while; None: nothing, beyond the pings of RFC 6455."""

    TABLE: Table
    """What errors of a connection mean here: `errors.TABLE`, changed where the venue asks for more."""

    @property
    def TRADE_RULE(self) -> Rule | None:
        """What the numbers of consecutive trades must be like; None: they say nothing."""

    @property
    def BOOK_RULE(self) -> Rule | None:
        """What the numbers of consecutive messages of a book must be like; None: they say nothing."""

    @property
    def PROOF(self) -> Callable[[str], str] | None:
        """Returns of a symbol the topic whose heartbeats say which trade was the last one; None: there is none."""

    @property
    def SNAPSHOTS(self) -> Snapshots | None:
        """Where a book begins, and begins anew after a gap; None: with the snapshot that follows a subscription."""

    def trades(self, symbol: str) -> str:
        """Return the topic of a symbol's trades.

        Raises:
            ConfigError: the venue has no such topic, or no such symbol can be. All five raise it alike.
        """

    def quotes(self, symbol: str) -> str:
        """Return the topic of a symbol's best bid and ask."""

    def ticker(self, symbol: str) -> str:
        """Return the topic of a symbol's last 24 hours."""

    def candles(self, symbol: str, interval: str) -> str:
        """Return the topic of a symbol's candles; `interval` as the venue writes it."""

    def book(self, symbol: str, depth: int | None = None) -> str:
        """Return the topic of a symbol's order book: of all of it, or of its best `depth` levels."""

    def common_symbol(self, symbol: str) -> str:
        """Return the common form of a symbol: "BTC/USDT", and "BTC/USDT:USDT" where it is a perpetual that settles so.

        Raises:
            ConfigError: it has none: options, and what expires.
        """

    def venue_symbol(self, common: str) -> str:
        """Return the venue's own form of a symbol that is given in the common one."""

    def endpoint(self, topic: str) -> str:
        """Return the class of a topic: which of `ENDPOINTS` carries it.

        Raises:
            ConfigError: no endpoint is known to carry it.
        """

    def connection_url(self, endpoint: str = "public", base: str | None = None) -> str:
        """Return the URL of a connection that has no topics yet; `base` in place of `BASE`, such as a test server's.

        Raises:
            ConfigError: it is none of `ENDPOINTS`.
        """

    def url(self, topics: Sequence[str], base: str | None = None) -> str:
        """Return the URL at which these topics can be had; where the venue's URLs can name topics, it does.

        Args:
            topics: all of one class.
            base: in place of `BASE`, such as a test server's; None: the venue's own.

        Raises:
            ConfigError: there are none, they are of several classes, or more than a URL can name.
        """

    def subscribe(self, topics: Iterable[str], ids: Iterator[int]) -> list[Request]:
        """Return the requests that ask for `topics`, in batches that the venue takes, numbered from `ids`.

        Raises:
            ConfigError: they are of several classes, which no one connection carries.
        """

    def unsubscribe(self, topics: Iterable[str], ids: Iterator[int]) -> list[Request]:
        """Return the requests that end `topics`."""

    def classify(self, frame: bytes | str) -> Frame:
        """Return what a message is; one that nobody knows is `Kind.UNKNOWN`, and nothing is raised."""

    def reply(self, frame: bytes | str, pending: Sequence[Request]) -> Reply | None:
        """Return what an acknowledgement or an error says about one of `pending`, the oldest first; None: nothing.

        Where it answers several of them, ask again with the rest.
        """

    def decode(self, frame: bytes | str, arrival_ns: int | None = None) -> list[MarketEvent]:
        """Return what happened in the market by this message: nothing by one that is no data.

        Args:
            frame: as it came.
            arrival_ns: when; it is noted on the events.

        Raises:
            msgspec.DecodeError: it is data, and not of the documented shape; or it is no JSON, where all is JSON.
            UnicodeDecodeError: it is not UTF-8.
            RecursionError: it is nested deeper than the interpreter's stack.
        """
