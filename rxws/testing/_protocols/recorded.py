"""A recording of Binance, played: its own protocol, and a market that is not generated."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import msgspec

from rxws.testing import _binance
from rxws.testing._feed import Feed
from rxws.testing._limits import Limits
from rxws.testing._protocols.protocol import Page, Session

__all__ = ["Recorded"]


class Recorded:
    """Binance, with the messages of a recording.

    Args:
        feed: the recording.
        limits: what is not put up with.
    """

    idle_close: tuple[int, str] | None = None
    endpoints: Mapping[str, str] = {"": "/ws"}

    def __init__(self, feed: Feed, limits: Limits) -> None:
        self._feed = feed
        self._limits = limits

    @property
    def streams(self) -> tuple[str, ...]:
        """What is played."""
        return self._feed.streams

    def knows(self, stream: str) -> bool:
        """Whether it is played."""
        return stream in self._feed.streams

    def opened_by(self, target: str) -> Session:
        """A connection to `target`."""
        return _binance.opened_by(target, self._limits.streams)

    def next(self, now_ms: int, among: Collection[str]) -> tuple[str, bytes]:
        """The next message."""
        stream, data = self._feed.next(now_ms, among)
        return stream, msgspec.json.encode(data)

    def first(self, stream: str, now_ms: int) -> bytes | None:
        """Nothing: Binance tells what happens only."""
        return None

    def forget(self, streams: Iterable[str]) -> None:
        """It plays on."""

    def page(self, target: str, now_ms: int) -> Page | None:
        """A recording has no books."""
        return None
