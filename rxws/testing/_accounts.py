"""What users may ask a simulated exchange, during a test and after it."""

from __future__ import annotations

from collections import Counter

from rxws.errors import ConfigError
from rxws.testing._ledger import ConnectionRecord, Gap, Ledger
from rxws.testing._tampering import Dropped
from rxws.testing._venue import Venue

__all__ = ["Accounts"]


class Accounts:
    """Its own bookkeeping, by its own numbers."""

    _venue: Venue
    _ledger: Ledger

    @property
    def streams(self) -> tuple[str, ...]:
        """The names of the streams that are played; of a generated market the usual ones."""
        return self._venue.protocol.streams

    @property
    def produced(self) -> int:
        """The number of the last message of the market, whether or not somebody got it."""
        return self._ledger.produced

    @property
    def handshakes_accepted(self) -> int:
        """How many connections have been opened."""
        return self._ledger.accepted

    @property
    def handshakes_refused(self) -> int:
        """How many handshakes were rejected, dropped, answered wrongly, or given up hanging."""
        return self._ledger.refused

    @property
    def received(self) -> Counter[str]:
        """What all clients have sent, counted as in `ConnectionRecord.received`."""
        return self._ledger.received.copy()

    @property
    def live(self) -> tuple[ConnectionRecord, ...]:
        """The connections that are open, stalled ones too, the oldest first; 100 at most."""
        return tuple(record for record in self._ledger.connections if record.ended is None)

    @property
    def connections(self) -> tuple[ConnectionRecord, ...]:
        """The last 100 connections, open and ended."""
        return tuple(self._ledger.connections)

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """The last 1,000 of the gaps that `missed` adds up."""
        return tuple(self._ledger.gaps)

    def missed(self, *streams: str) -> int:
        """How many messages no connection was there to get: lost between two connections.

        Counted are those of a stream that happened after a connection that wanted it had ended or
        stalled, and before one wanted it again or was resumed. What happens after the last one is
        not lost between two; nor is what nobody wanted yet, or any more after an UNSUBSCRIBE.

        Args:
            streams: of which streams; none given: of all.

        Raises:
            ConfigError: such a stream is not played.
        """
        if unknown := [stream for stream in streams if not self._venue.protocol.knows(stream)]:
            told = f"{sorted(unknown)} are not played; take some of {self.streams}"
            raise ConfigError("streams", told)
        return self._ledger.missed(streams)

    @property
    def violations(self) -> Counter[str]:
        """How often clients broke a limit, or missed a deadline, by its name in `Limits`.

        "ban" counts handshakes during a ban. A test that expects none says
        `assert not exchange.violations`.
        """
        return self._ledger.violations.copy()

    @property
    def dropped(self) -> tuple[Dropped, ...]:
        """The last 10,000 messages that `drop_messages` and `drop_rate` kept from their subscribers."""
        return tuple(self._venue.tampering.dropped)

    @property
    def dropped_count(self) -> int:
        """How many messages they have kept from their subscribers."""
        return self._venue.tampering.dropped_count
