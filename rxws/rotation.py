"""When a connection is replaced by the next one, opened before it is closed; and how two that overlap become one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from dataclasses import KW_ONLY, dataclass, replace
from enum import Enum, auto
from math import inf
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from rxws.arguments import fraction, seconds
from rxws.errors import ConfigError
from rxws.windows import Window

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from reactivex import Observable

__all__ = ["CUT", "DROP", "PASS", "Beginning", "Key", "Rotation", "Splice", "Step"]

T = TypeVar("T")

Key = Callable[[Any], Hashable]  # Any: whatever `decode` returns

HELD = 65_536
"""Values of the new connection that may wait for the old one, and keys of the old one that are remembered meanwhile."""
RECENT = 1_024
"""Keys remembered from before the overlap: some venues send the last trades again to whoever subscribes."""


class Beginning(int):
    """The number of a message with which its topic begins anew, such as a snapshot of a book that was asked for again.

    As a key's number it equals the same number of any other message. What the topic had before is obsolete with it: so it
    is delivered though its number was, and of what the new connection held, nothing follows that is older.

    >>> Beginning(7) == 7
    True
    """

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Rotation:
    """Make before break: the next connection is opened, subscribed and seen to deliver before the old one is closed.

    Args:
        when: what asks for it. Seconds of age of a connection, any positive number; or an observable, each of whose
            values asks; or a callable, called for each connection with the observable of its messages, that returns an
            observable or an awaitable, whose first value asks (a notice of the server's, a message of this stream).
            What such a callable raises, or what it returned, is told and asks for nothing.
        unless: a window in which no rotation starts; one that was asked for waits until it is over. None: none.
        overlap: seconds, from the dial on, in which the new connection must have delivered; else the old one is kept,
            and the next try backs off. Where the old one is paused (`Connection.pause`), they begin anew when it is
            read again: it still has to deliver what that kept back.
        key: value to the sequence number or id by which the overlap is delivered once, None for a value that has none:
            what the new connection brings is held until the old one has delivered the first of it, or `overlap` ends.
            Where there are several sequences, a tuple of the topic and its number: it then waits for the first of each
            topic. A number that is a `Beginning` begins its topic anew. None: the cut is at the new one's first message, what the old one had not delivered by then is lost,
            and what it had is there twice if the new one brings it too.
        jitter: the fraction of an age that chance may take off, 0 to 1.

    Raises:
        ConfigError: an argument is out of its range.

    >>> Rotation(20 * 3600.0, key=lambda trade: trade["t"]).overlap
    5.0
    """

    when: float | Observable[Any] | Callable[[Observable[Any]], Observable[Any] | Awaitable[Any]]
    unless: Window | None = None
    overlap: float = 5.0
    key: Key | None = None
    _: KW_ONLY
    jitter: float = 0.1

    def __post_init__(self) -> None:
        if isinstance(self.when, int | float):
            seconds("when", self.when, optional=False)
        elif not (callable(self.when) or hasattr(self.when, "subscribe")):
            raise ConfigError(
                "when", f"{self.when!r} will not do; take seconds, an observable, or a callable of messages"
            )
        if self.unless is not None and not isinstance(self.unless, Window):
            raise ConfigError("unless", f"{self.unless!r} is no window; take one of rxws.windows, or None")
        seconds("overlap", self.overlap, optional=False)
        if self.key is not None and not callable(self.key):
            raise ConfigError("key", f"{self.key!r} is not callable; take a function of a message, or None")
        fraction("jitter", self.jitter)

    def timed(self, timed: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Rotation:  # Any: whatever `when` is
        """Return the same, with a callable `when` as `timed` returns it."""
        return replace(self, when=timed(self.when)) if callable(self.when) else self

    def age(self, random: Callable[[], float]) -> float:
        """Return the age in seconds that asks for a rotation, jittered; infinite where none does."""
        return self.when * (1.0 - self.jitter * random()) if isinstance(self.when, int | float) else inf


class Step(Enum):
    """What is done with a value of the current connection."""

    DROP = auto()
    """It has been delivered before."""
    PASS = auto()
    """It is handed on."""
    CUT = auto()
    """It is handed on, and the new connection takes over behind it."""


DROP, PASS, CUT = Step  # asked for by every message; as members of their class they cost more


class Splice(Generic[T]):
    """What two connections deliver at once, joined into one sequence, each value once and in order.

    It is told of each value of the current connection (`old`) and of the new one (`new`). Where the cut is due, the old
    connection is closed, what `rest` returns is handed on, and the new one is the current one. The cut is due once the
    current one has delivered the new one's first key; of tuples, of each topic (all but a key's last place) that it has
    lately delivered: topics that were subscribed one after another do not all begin at the new one's first message.

    Args:
        key: value to key; None: no value has one, and the cut is at the new one's first value.
        failed: told what `key` raised, or that it returned what cannot be hashed; such a value has no key.
        dropped: told of each answer of the new one that finds no room.

    >>> splice = Splice(int)
    >>> splice.begin()
    >>> [splice.old(1).name, splice.new(2), splice.new(3), splice.old(2).name, splice.rest(), splice.old(4).name]
    ['PASS', False, False, 'CUT', [3], 'PASS']
    """

    def __init__(
        self,
        key: Key | None,
        failed: Callable[[Exception], None] = lambda error: None,
        dropped: Callable[[], None] = lambda: None,
    ) -> None:
        self.delivers = False
        """Whether the new one has brought data by which it could take over: with `key`, data that has one."""
        self._key = key
        self._failed = failed
        self._dropped = dropped
        self._recent: deque[Hashable] = deque(maxlen=RECENT)
        # What the one before the current one delivered in their overlap, and what has been delivered until now as far as
        # the new one may bring it: each with how often its topic had begun anew by then, for that makes it obsolete.
        self._before: dict[Hashable, int] = {}
        self._seen: dict[Hashable, int] = {}
        self._begun: dict[Hashable, int] = {}
        self._held: deque[tuple[Hashable, T]] = deque()
        self._firsts: dict[Hashable, Hashable] = {}  # topic to the new one's first key of it
        self._awaited: set[Hashable] = set()  # topics of which that has not been brought, or not been delivered
        self._overlapping = False

    @property
    def is_full(self) -> bool:
        """Whether it holds as much as it may."""
        return len(self._held) >= HELD

    def begin(self) -> None:
        """An overlap begins."""
        self._overlapping, self.delivers = True, False
        # Also what the last overlap left: two may be so near that the current one has not caught up yet.
        self._before = {key: 0 for key in self._before if self._holds(self._before, key)}
        self._begun = {}
        self._seen = {**self._before, **dict.fromkeys(_since_they_began(self._recent), 0)}
        self._forget_the_oldest()
        self._firsts, self._awaited = {}, {_topic(key) for key in self._recent}
        self._held.clear()

    def old(self, value: T) -> Step:
        """Note a value of the current one, and say what is done with it."""
        key = self._key_of(value)
        if key is None:
            return PASS
        if (self._before or self._overlapping) and _begins(key):
            self._begun[_topic(key)] = self._begun.get(_topic(key), 0) + 1
        if self._holds(self._before, key):
            return DROP
        self._recent.append(key)
        if not self._overlapping:
            return PASS
        topic = _topic(key)
        self._seen[key] = self._begun.get(topic, 0)
        self._forget_the_oldest()
        if topic not in self._firsts:
            self._await(topic)
        elif self._firsts[topic] == key:
            self._awaited.discard(topic)
        return CUT if self.delivers and not self._awaited else PASS

    def new(self, value: T, live: bool = True) -> bool:
        """Hold a value of the new one; return whether the cut is due.

        Args:
            value: what came.
            live: whether the new one has brought data; what it brings before that is an answer, and asks for no cut.
        """
        key = self._key_of(value)
        self._held.append((key, value))
        if key is not None:
            self._begin_topic(_topic(key), key)
        if live and (key is not None or self._key is None):
            self.delivers = True
        if self.delivers:
            return self._key is None or not self._awaited or self.is_full
        if len(self._held) > HELD:
            self._held.popleft()
            self._dropped()
        return False

    def rest(self) -> list[T]:
        """Return what the new one brought and the old one had not delivered, in order; it is the current one now."""
        self._before, self._seen = self._seen, {}
        start = self._starts()
        rest = []
        for place, (key, value) in enumerate(self._held):
            if key is None:
                rest.append(value)
            elif not self._holds(self._before, key) and place >= start.get(_topic(key), 0):
                rest.append(value)
                self._recent.append(key)
        self.end()
        return rest

    def _starts(self) -> dict[Hashable, int]:
        """Of each topic that the new one began: where what follows what the old one delivered begins in what is held."""
        start: dict[Hashable, int] = {}
        for place, (key, _) in enumerate(self._held):
            topic = _topic(key)
            if _begins(key):
                start[topic] = place
            if topic in start and self._holds(self._before, key):
                start[topic] = place + 1
        return start

    def end(self) -> None:
        """The overlap is over; forget what the new one brought."""
        self._overlapping = self.delivers = False
        self._seen, self._firsts, self._awaited = {}, {}, set()
        self._held.clear()
        if not self._before:
            self._begun = {}

    def forget(self) -> None:
        """Nothing more comes that the connection before the current one had delivered."""
        self._before = {}
        if not self._overlapping:
            self._begun = {}

    def _holds(self, delivered: dict[Hashable, int], key: Hashable) -> bool:
        return key in delivered and delivered[key] == self._begun.get(_topic(key), 0)

    def _forget_the_oldest(self) -> None:
        while len(self._seen) > HELD:
            del self._seen[next(iter(self._seen))]

    def _begin_topic(self, topic: Hashable, key: Hashable) -> None:
        if topic not in self._firsts and len(self._firsts) < HELD:
            self._firsts[topic] = key
            if self._holds(self._seen, key):
                self._awaited.discard(topic)
            else:
                self._await(topic)

    def _await(self, topic: Hashable) -> None:
        # A key whose number stands first makes a topic of each message.
        if len(self._awaited) < HELD:
            self._awaited.add(topic)

    def _key_of(self, value: T) -> Hashable:
        if self._key is None:
            return None
        try:
            key = self._key(value)
            hash(key)
        except Exception as error:
            self._failed(error)
            return None
        return key


def _begins(key: Hashable) -> bool:
    return isinstance(key, tuple) and type(key[-1]) is Beginning


def _since_they_began(keys: Iterable[Hashable]) -> list[Hashable]:
    """Return those that no later one of the same topic has made obsolete by beginning it anew."""
    kept = list(keys)
    began = {_topic(key): place for place, key in enumerate(kept) if _begins(key)}
    return [key for place, key in enumerate(kept) if place >= began.get(_topic(key), 0)]


def _topic(key: Hashable) -> Hashable:
    return key[:-1] if isinstance(key, tuple) else ()
