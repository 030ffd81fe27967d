"""When a connection is replaced by the next one, opened before it is closed."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import KW_ONLY, dataclass, replace
from math import inf
from typing import TYPE_CHECKING, Any

from rxws.arguments import fraction, seconds
from rxws.errors import ConfigError
from rxws.windows import Window

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from reactivex import Observable

__all__ = ["Beginning", "Key", "Ordered", "Rotation"]

Key = Callable[[Any], Hashable]  # Any: whatever `decode` returns


class Ordered(tuple[Hashable, ...]):
    """The key of a value that is of use only in its place: it is not handed on behind a newer one of its topic.

    So is what tells how something stands, such as a best bid and ask. It equals the same tuple.

    >>> Ordered(("quotes", 7)) == ("quotes", 7)
    True
    """

    __slots__ = ()


class Beginning(Ordered):
    """The key of a value with which its topic begins anew, such as a snapshot of a book that was asked for again.

    What the topic had before is obsolete with it, and no longer what tells duplicates: it is delivered though its
    number was, and so is what follows it.
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
            topic. A tuple that is `Ordered` is not handed on behind a newer one of its topic, and a `Beginning` begins
            its topic anew. None: the cut is at the new one's first message, what the old one had not delivered by then
            is lost, and what it had is there twice if the new one brings it too.
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
