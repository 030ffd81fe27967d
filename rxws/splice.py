"""How two connections that overlap become one sequence."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from enum import Enum, auto
from typing import Generic, TypeVar

from rxws.rotation import Beginning, Key, Ordered

__all__ = ["CUT", "DROP", "PASS", "Splice", "Step"]

T = TypeVar("T")

HELD = 65_536
"""Values of the new connection that may wait for the old one, and keys of the old one that are remembered meanwhile."""
RECENT = 1_024
"""Keys remembered from before the overlap: some venues send the last trades again to whoever subscribes."""


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
        # What the one before the current one delivered in their overlap, and what has been delivered until now, as far
        # as the new one may bring it: each with how often its topic had begun anew by then, which makes it obsolete.
        self._before: dict[Hashable, int] = {}
        self._seen: dict[Hashable, int] = {}
        self._begun: dict[Hashable, int] = {}
        # Topics of which the current one has brought nothing yet that is not obsolete.
        self._behind: set[Hashable] = set()
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
        if self._before or self._behind or self._overlapping:
            self._begin_anew(key)
            if self._is_behind(key) or self._holds(self._before, key):
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
            elif place >= start.get(_topic(key), 0) and not self._holds(self._before, key):
                self._begin_anew(key)
                rest.append(value)
                self._recent.append(key)
        self.end()
        return rest

    def _starts(self) -> dict[Hashable, int]:
        """Of each topic whose order matters: the place from which on it is not older than what was delivered.

        Of one that the new one has begun anew, and the old one has not yet, that is the place where it did: whoever
        asked for that waits for it, whatever its number and what follows.
        """
        start: dict[Hashable, int] = {}
        renewed: set[Hashable] = set()
        begun = {topic: -1 - count for topic, count in self._begun.items()}
        self._behind = set()
        for place, (key, _) in enumerate(self._held):
            if not isinstance(key, Ordered):
                continue
            topic = _topic(key)
            if _begins(key):
                begun[topic] = begun.get(topic, -1) + 1
                if begun[topic] > 0:
                    renewed.add(topic)
                    self._begin_anew(key)
            if key in self._before and topic not in renewed:
                start[topic] = place + 1
                (self._behind.discard if self._holds(self._before, key) else self._behind.add)(topic)
            elif _begins(key):
                start[topic] = place
                self._behind.discard(topic)
        return start | dict.fromkeys(self._behind, len(self._held))

    def _is_behind(self, key: Hashable) -> bool:
        if not self._behind or _topic(key) not in self._behind:
            return False
        if _begins(key) or self._holds(self._before, key):
            self._behind.discard(_topic(key))
            return False
        return True

    def end(self) -> None:
        """The overlap is over; forget what the new one brought."""
        self._overlapping = self.delivers = False
        self._seen, self._firsts, self._awaited = {}, {}, set()
        self._held.clear()
        if not self._before:
            self._begun = {}

    def forget(self) -> None:
        """Nothing more comes that the connection before the current one had delivered."""
        self._before, self._behind = {}, set()
        if not self._overlapping:
            self._begun = {}

    def _begin_anew(self, key: Hashable) -> None:
        if _begins(key):
            self._begun[_topic(key)] = self._begun.get(_topic(key), 0) + 1

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
    return type(key) is Beginning


def _since_they_began(keys: Iterable[Hashable]) -> list[Hashable]:
    """Return those that no later one of the same topic has made obsolete by beginning it anew."""
    kept = list(keys)
    began = {_topic(key): place for place, key in enumerate(kept) if _begins(key)}
    return [key for place, key in enumerate(kept) if place >= began.get(_topic(key), 0)]


def _topic(key: Hashable) -> Hashable:
    return key[:-1] if isinstance(key, tuple) else ()
