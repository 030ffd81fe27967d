"""How many attempts failed, in all and in a row."""

from __future__ import annotations

from rxws.errors import Disconnected
from rxws.types import RetrySignal

__all__ = ["Attempts"]


class Attempts:
    """Counts the losses of one subscription; planned ends of connections that had proved themselves count as proof.

    Args:
        stable_after: seconds that a connection must have been open to have proved itself.
    """

    def __init__(self, stable_after: float) -> None:
        self.stable_after = stable_after
        self.total = 0
        self.in_a_row = 0

    def lost(self, error: Exception) -> RetrySignal | None:
        """Count a loss; None where `error` is not one of a connection, so that nothing is retried."""
        if not isinstance(error, Disconnected):
            return None
        self.ended(error.uptime)
        self.total += 1
        self.in_a_row += 1
        return RetrySignal(error, self.total, self.in_a_row, error.uptime)

    def ended(self, uptime: float) -> None:
        """Begin to count in a row anew, if the connection that ended had proved itself."""
        if uptime >= self.stable_after:
            self.in_a_row = 0
