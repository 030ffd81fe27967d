"""The messages of one read, handed on in lists: what stands behind is called once a list."""

from __future__ import annotations

from collections.abc import Callable

from rxws.scheduler import RAISED
from rxws.types import ListSink, Sink, Tally

__all__ = ["Collector"]


class Collector:
    """Gathers messages until there are `most`, they change between text and binary, or somebody asks for them.

    `collect` is the whole way of a message where nothing else is to be done with it: what it has gathered is counted
    when it is handed on, or when somebody asks for the count. `take` is for a message that is counted already.

    Args:
        sink: takes the lists.
        most: messages in a list.
        tally: counts them.
        crashed: told what the consumer raised.
    """

    def __init__(
        self,
        sink: ListSink,
        most: int,
        tally: Tally,
        crashed: Callable[[BaseException], None],
    ) -> None:
        self._sink = sink
        self._most = most
        self._tally = tally
        self._crashed = crashed
        self._pending: list[bytes] = []
        self._counted = 0
        self._is_text = True
        self.collect, self.take = self._ways()

    def _ways(self) -> tuple[Sink, Sink]:
        """Return what takes a message, and what takes one that is counted already.

        Closures, whose names cost a message less than attributes would; so the kind of what is gathered stands twice.
        """
        pending, append, most = self._pending, self._pending.append, self._most
        were_text = True

        def collect(payload: bytes, is_text: bool) -> None:
            if is_text is not were_text:
                turn(is_text)
            append(payload)
            if len(pending) == most:
                self.hand_on()

        def take(payload: bytes, is_text: bool) -> None:
            if is_text is not were_text:
                turn(is_text)
            self.count()
            append(payload)
            self._counted = len(pending)
            if len(pending) == most:
                self.hand_on()

        def turn(is_text: bool) -> None:
            nonlocal were_text
            self.hand_on()
            were_text = self._is_text = is_text

        return collect, take

    def count(self) -> None:
        """Add to the tally what has been gathered since the last time."""
        if self._counted < len(self._pending):
            fresh = self._pending[self._counted :] if self._counted else self._pending
            self._counted += len(fresh)
            self._tally.messages += len(fresh)
            self._tally.bytes += sum(map(len, fresh))

    def hand_on(self) -> None:
        """Hand on what there is. What the consumer raises ends here."""
        if not self._pending:
            return
        self.count()
        payloads = self._pending[:]  # the list itself goes on: `collect` holds on to it
        self.clear()
        try:
            self._sink(payloads, self._is_text)
        except RAISED as error:
            self._crashed(error)

    def clear(self) -> int:
        """Forget what there is, and return how many messages that was."""
        forgotten = len(self._pending)
        self._pending.clear()
        self._counted = 0
        return forgotten
