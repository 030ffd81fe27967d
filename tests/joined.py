"""Two connections through a splice."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any

from rxws.splice import Splice, Step

__all__ = ["Joined"]


class Joined:
    """Two connections through a splice, as an operator would hand them on; it notes all that is delivered."""

    def __init__(self, key: Callable[[Any], Hashable] | None = int, **told: Any) -> None:
        self.splice: Splice[Any] = Splice(key, **told)
        self.delivered: list[Any] = []
        self.cut = True

    def old(self, values: Iterable[Any]) -> None:
        """The current connection brings these."""
        for value in values:
            step = self.splice.old(value)
            if step is not Step.DROP:
                self.delivered.append(value)
            if step is Step.CUT:
                self.take_over()
                return

    def begin(self) -> None:
        """The next connection is dialled."""
        self.splice.begin()
        self.cut = False

    def new(self, value: Any, live: bool = True) -> None:
        """The new connection brings this; once it is the current one, that is no news."""
        if self.cut:
            self.old([value])
        elif self.splice.new(value, live):
            self.take_over()

    def take_over(self) -> None:
        """The old connection is closed."""
        assert not self.cut
        self.cut = True
        self.delivered += self.splice.rest()

    def interleave(self, old: Iterable[Any], new: Iterable[Any], turns: Iterable[bool]) -> None:
        """Both bring theirs, by turns (true: the new one), the old one until the cut."""
        olds, news = iter(old), iter(new)
        for is_new in turns:
            for value in [next(news if is_new else olds, None)]:
                if value is not None and is_new:
                    self.new(value)
                elif value is not None and not self.cut:
                    self.old([value])
        for value in olds:
            if not self.cut:
                self.old([value])
        for value in news:
            self.new(value)
