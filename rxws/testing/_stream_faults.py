"""What the exchange does wrong on order with messages, answers and notices, each in the venue's own words."""

from __future__ import annotations

from typing import get_args

from rxws.errors import ConfigError
from rxws.testing import _wire
from rxws.testing._protocols.okx import Okx
from rxws.testing._tampering import Ack
from rxws.testing._venue import Venue, whole

__all__ = ["StreamFaults"]


class StreamFaults:
    """Faults of what is told. The market goes on as ever, whatever its subscribers are told."""

    _venue: Venue

    def drop_messages(self, count: int = 1, topic: str | None = None) -> None:
        """Do not tell the next messages that somebody listens to; `dropped` says which they were.

        The truth goes on: `book` has what was dropped, and its numbers are missing from what follows.

        Args:
            count: how many, 0 or more.
            topic: of which topic, such as "book.BTC-PERPETUAL.100ms"; None: of any.

        Raises:
            ConfigError: there are fewer than none, or there is no such topic.
        """
        self._tamper(count, topic, copies=0)

    def duplicate(self, count: int = 1, topic: str | None = None) -> None:
        """Tell the next messages twice each.

        Args:
            count: how many, 0 or more.
            topic: of which topic; None: of any.

        Raises:
            ConfigError: there are fewer than none, or there is no such topic.
        """
        self._tamper(count, topic, copies=2)

    def acks(self, what: Ack, times: int = 1) -> None:
        """Do something to the answers of the next requests; what they ask for is done all the same.

        Orders queue up, one an answer.

        Args:
            what: "held": it waits for `release_acks`, however much data comes meanwhile; "silent": it
                never comes; "after_data": it comes behind the next message of the market;
                "after_error": an error that says not to what comes before it.
            times: how many answers, 1 or more.

        Raises:
            ConfigError: there is no such thing to be done.
        """
        if what not in get_args(Ack):
            raise ConfigError("what", f"{what!r} is unknown; take one of {list(get_args(Ack))}")
        if times < 1:
            raise ConfigError("times", f"{times} is too few; take 1 or more")
        self._venue.tampering.order_acks(times, what)

    def release_acks(self) -> int:
        """Send the answers that were held; to how many connections."""
        return self._venue.each(lambda connection: connection.release_acks())

    def say(self, text: str) -> int:
        """Send any text to every open connection, such as one that is no JSON; to how many."""
        return self._venue.each(lambda connection: connection.write(_wire.frame(_wire.TEXT, text.encode())))

    def error_without_id(self) -> int:
        """Send an error of the venue that says not to what; to how many connections."""
        return self._venue.each(lambda connection: connection.write(whole(connection.session.error())))

    def unknown_event(self) -> int:
        """Send an event in the venue's own shape that no client knows; to how many connections."""
        return self._venue.each(lambda connection: connection.write(whole(connection.session.unknown())))

    def keep_alive(self) -> int:
        """Tell what OKX's `books` tell when nothing has happened: no levels, and `seqId` is `prevSeqId`.

        Returns how many books there were that somebody listens to.

        Raises:
            ConfigError: the exchange is not OKX.
        """
        return self._venue.tell(self._okx().keep_alives(self._venue.now_ms()))

    def reset_sequence(self, symbol: str | None = None) -> None:
        """Set OKX's sequence back, as maintenance does: the next `seqId` is less than `prevSeqId`.

        Args:
            symbol: of which instrument; None: of all.

        Raises:
            ConfigError: the exchange is not OKX, or has no such instrument.
        """
        self._okx().set_back(symbol)

    def bad_checksum(self, count: int = 1) -> int:
        """Let the next checksums of OKX's `books` be wrong, while the books are right.

        Args:
            count: how many of each book, 0 or more.

        Raises:
            ConfigError: the exchange is not OKX, or was not told `checksums=True`.
        """
        return self._okx().spoil_checksums(count)

    def _okx(self) -> Okx:
        protocol = self._venue.protocol
        if not isinstance(protocol, Okx):
            raise ConfigError("frames", "only OKX has sequences and checksums; take 'okx'")
        return protocol

    def _tamper(self, count: int, topic: str | None, copies: int) -> None:
        if count < 0:
            raise ConfigError("count", f"{count} is too few; take 0 or more")
        if topic is not None and not self._venue.protocol.knows(topic):
            raise ConfigError("topic", f"{topic!r} is not told; take one such as {self._venue.protocol.streams[0]!r}")
        self._venue.tampering.order(count, topic, copies)
