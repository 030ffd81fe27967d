"""What arrives before anybody reads: held, within bounds, and shown meanwhile to who reads for a while."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

__all__ = ["Backlog", "Held"]

# A login script's time, not a feed's.
MESSAGES = 65_536
BYTES = 64 * 2**20


class Held(NamedTuple):
    """A message, and whether a script's reader has been shown it."""

    payload: bytes
    is_text: bool
    shown: bool


class Backlog:
    """Messages in their order; the first of them may have been shown."""

    def __init__(self) -> None:
        self._messages: deque[tuple[bytes, bool]] = deque()
        self._bytes = 0
        self._shown = 0

    def __len__(self) -> int:
        return len(self._messages)

    def add(self, payload: bytes, is_text: bool) -> bool:
        """Hold one more, and return whether there is room for it."""
        if len(self._messages) >= MESSAGES or self._bytes + len(payload) > BYTES:
            return False
        self._messages.append((payload, is_text))
        self._bytes += len(payload)
        return True

    def take(self) -> Held:
        """Take the first one out."""
        payload, is_text = self._messages.popleft()
        self._bytes -= len(payload)
        shown, self._shown = self._shown > 0, max(0, self._shown - 1)
        return Held(payload, is_text, shown)

    def show(self) -> Held | None:
        """Return the first that has not been shown, which it is from now on; None: all have."""
        if self._shown == len(self._messages):
            return None
        payload, is_text = self._messages[self._shown]
        self._shown += 1
        return Held(payload, is_text, True)

    def clear(self) -> int:
        """Forget all of them, and return how many that was."""
        forgotten = len(self._messages)
        self._messages.clear()
        self._bytes = self._shown = 0
        return forgotten
