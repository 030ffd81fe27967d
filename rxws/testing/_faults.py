"""What the exchange does wrong on order, to the connections that are open."""

from __future__ import annotations

from functools import partial
from typing import Literal

from rxws.errors import ConfigError
from rxws.testing import _wire
from rxws.testing._connection import VenueConnection
from rxws.testing._venue import FLOOD, Venue

__all__ = ["LiveFaults", "Malformed"]

Malformed = Literal["json", "utf8", "reserved_bit", "masked"]
"""What can be wrong with a frame: see `SimulatedExchange.malformed`."""

_TEXT = b'{"e":"malformed"}'
_WRONG = {
    "json": _wire.frame(_wire.TEXT, b'{"e":"malformed",'),
    "utf8": _wire.frame(_wire.TEXT, b'{"e":"\xff\xfe"}'),
    "reserved_bit": _wire.frame(_wire.TEXT, _TEXT, reserved=_wire.RESERVED_BIT),
    "masked": _wire.frame(_wire.TEXT, _TEXT, mask=b"\x01\x02\x03\x04"),
}
_HALF_A_FRAME = _wire.frame(_wire.TEXT, b'{"e":"cut off","pad":"' + b"x" * 200 + b'"}')[:100]


class LiveFaults:
    """Faults of open connections. Each acts on all of them, and returns how many they were."""

    _venue: Venue

    def close(self, code: int | None = 1000, reason: str = "") -> int:
        """Send a close frame, and close TCP when it is answered (RFC 6455, section 7.1.2).

        Args:
            code: any code from 0 to 65535, those too that must not be sent, such as 1005; None: a
                close frame without a code, which the client reports as 1005.
            reason: up to 123 bytes of UTF-8; needs a code.

        Raises:
            ConfigError: such a code or reason does not fit into a close frame.
        """
        _wire.close_payload(code, reason)  # refused here, even if nobody is connected
        return self._venue.each(lambda connection: connection.say_close(code, reason))

    def drop(self) -> int:
        """End TCP by a FIN, without a close frame: what a client reports as 1006."""
        return self._venue.each(lambda connection: connection.cut("dropped", reset=False))

    def reset(self) -> int:
        """Write half a frame, then reset TCP (RST). One that is stalled gets the RST only."""

        def reset(connection: VenueConnection) -> None:
            connection.write(_HALF_A_FRAME)
            connection.cut("reset", reset=True)

        return self._venue.each(reset)

    def stall(self, *, pongs: bool = True) -> int:
        """Fall silent with TCP open, until `resume`; the market goes on meanwhile, untold.

        Args:
            pongs: True: the client's pings are still answered, and its close frame, as by a venue
                that hangs behind a healthy front. False: nothing is even read, as by a machine that
                is gone; what comes is kept for `resume`.
        """
        return self._venue.each(lambda connection: connection.stall(pongs=pongs))

    def resume(self) -> int:
        """Go on where connections are stalled or handshakes hang, with what was asked meanwhile.

        What the market told meanwhile is not told again: it is missed. Returns how many connections
        went on.
        """
        connections = tuple(self._venue.connections)
        return sum(connection.resume() for connection in connections)

    def malformed(self, kind: Malformed = "json") -> int:
        """Send one wrong frame.

        Args:
            kind: "json": a good text frame that is not JSON; "utf8": a text frame that is not UTF-8
                (a client must fail with 1007, RFC 6455, section 8.1); "reserved_bit": RSV1 without
                compression (1002, section 5.2); "masked": a masked frame, which a server must not
                send (1002, section 5.1).

        Raises:
            ConfigError: there is no such kind.
        """
        if kind not in _WRONG:
            raise ConfigError("kind", f"{kind!r} is unknown; take one of {list(_WRONG)}")
        return self._send(_WRONG[kind])

    def oversized(self, size: int = 2**24 + 1) -> int:
        """Send one text message of exactly `size` bytes, 32 or more: JSON without a number."""
        head, tail = b'{"e":"oversized","pad":"', b'"}'
        _at_least(32, "size", size)
        pad = b"x" * (size - len(head) - len(tail))
        return self._send(_wire.frame(_wire.TEXT, head + pad + tail))

    def ping_flood(self, count: int = 10_000) -> int:
        """Send `count` pings at once. Their pongs do not count against the client's limit."""
        _at_least(0, "count", count)
        pings = (_wire.frame(_wire.PING, FLOOD + b"%d" % number) for number in range(count))
        return self._send(b"".join(pings))

    def burst(self, count: int) -> int:
        """The market's next `count` messages happen at once.

        They are of the streams that somebody listens to; where nobody does, of all.
        """
        _at_least(0, "count", count)
        self._venue.produce(count, among=self._venue.wanted())
        return len(self._venue.live)

    def fragment(self, parts: int = 3, *, pings: bool = False) -> int:
        """The market's next message that somebody listens to comes in several frames.

        No fault at all: a client must put it together (RFC 6455, section 5.4).

        Args:
            parts: how many frames, 1 or more.
            pings: whether a ping stands between each two of them, as is allowed.

        Raises:
            ConfigError: `parts` is less than 1.
        """
        _at_least(1, "parts", parts)
        between = _wire.frame(_wire.PING, FLOOD) if pings else b""
        encode = partial(_wire.fragments, parts=parts, between=between)
        self._venue.produce(1, encode, among=self._venue.wanted())
        return len(self._venue.live)

    def announce_shutdown(self, lead: float = 1.0) -> int:
        """Send the venue's notice of a planned end, and close with 1001 later.

        It is `serverShutdown` of Binance, 64008 of OKX, and the maintenance of Deribit's `platform_state`
        for those who listen to it. Coinbase Exchange has none, and only closes.

        Args:
            lead: seconds between the two, 0 or more. Binance promises none, OKX about 60.
        """
        _at_least(0.0, "lead", lead)
        return self._venue.each(lambda connection: connection.shut_down(lead))

    def _send(self, data: bytes) -> int:
        return self._venue.each(lambda connection: connection.write(data))


def _at_least(least: float, field: str, value: float) -> None:
    if value < least:
        raise ConfigError(field, f"{value} is too little; take {least} or more")
