"""Coinbase Exchange: subscriptions by product and channel, answered by all that there are.

Source: docs.cdp.coinbase.com, Exchange, "WebSocket feed": overview, channels, errors and rate limits, read
2026-11-20. That `level2_batch` is acknowledged as `level2_50` is what clients have seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import msgspec

from rxws.testing._instrument import Instrument, Listing
from rxws.testing._limits import Admission, Limits, requests_of
from rxws.testing._protocols.coinbase_exchange_channels import Level2, Matches, Ticker, sequence_of, time_text
from rxws.testing._protocols.generated import Generated, magnitude, price_of
from rxws.testing._protocols.protocol import BadTarget, Beat, Reply, Session, Topic

__all__ = ["CoinbaseExchange"]

_TOPICS: dict[str, Callable[[str, Instrument], Topic]] = {
    "level2": Level2,
    "level2_batch": Level2,
    "matches": Matches,
    "ticker": Ticker,
    "ticker_batch": Ticker,
}
_ALIASES = {"level2_batch": "level2_50"}
_HEARTBEAT = "heartbeat"
_CLOSED = ("full", "level3", "user")


class _Refusal(Exception):
    pass


class CoinbaseExchangeSession:
    """One connection to Coinbase Exchange.

    Args:
        venue: the exchange.
        limits: what is not put up with.
        requests: what counts the requests of all connections.
    """

    variant = None
    asked = False

    def __init__(self, venue: CoinbaseExchange, limits: Limits, requests: Admission) -> None:
        self._venue = venue
        self._limits = limits
        self._requests = requests
        self._products: dict[str, dict[str, None]] = {}
        """By channel."""
        self.served: dict[str, None] = {}

    @property
    def beat(self) -> float | None:
        """Heartbeats come where they are subscribed to."""
        return self._limits.heartbeat if _HEARTBEAT in self._products else None

    def wrap(self, stream: str, text: bytes, number: int) -> bytes:
        """As it is."""
        return text

    def heartbeat(self, now_ms: int, idle: bool) -> Beat:
        """One for each product, with the last trade that it has told."""
        products = self._products.get(_HEARTBEAT, {})
        return Beat(tuple(self._venue.heartbeat(product, now_ms) for product in products))

    def shutdown_notice(self, now_ms: int) -> bytes | None:
        """It has none."""
        return None

    def error(self) -> bytes:
        """An error that says not to what: all of them are so."""
        return msgspec.json.encode({"type": "error", "message": "Failed to subscribe", "reason": "internal error"})

    def unknown(self) -> bytes:
        """A message of a type that no client knows."""
        return b'{"type":"news","about":["nothing"]}'

    def answer(self, text: bytes, now_ms: int, now: float) -> Reply:
        """What Coinbase answers: all subscriptions, or an error that says not to what."""
        if not self._requests.admit(now):
            return _refused("INVALID", "Rate limit exceeded", "too many requests", "requests")
        try:
            request = msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return _refused("INVALID", "Malformed JSON", "the message is no JSON")
        verb = request.get("type") if isinstance(request, dict) else None
        if verb not in ("subscribe", "unsubscribe"):
            return _refused("INVALID", "Unknown message type", f"{verb} is not a message type")
        before = self.served.copy()
        try:
            asked = self._asked(request, verb)
        except _Refusal as refusal:
            return _refused(verb, f"Failed to {verb}", f"{refusal}")
        for channel, products in asked.items():
            self._change(verb, channel, products)
        self.served = {
            f"{channel}:{product}": None
            for channel, products in self._products.items()
            for product in products
            if channel != _HEARTBEAT
        }
        return Reply((self._all(),), verb, tuple(name for name in self.served if name not in before))

    # Any: a request is any JSON object.
    def _asked(self, request: dict[str, Any], verb: str) -> dict[str, list[str]]:
        """By channel the products that are asked for."""
        common, channels = request.get("product_ids", []), request.get("channels", [])
        if not isinstance(channels, list) or not channels or not isinstance(common, list):
            raise _Refusal("channels must be a list of at least one")
        asked: dict[str, list[str]] = {}
        for channel in channels:
            name = channel.get("name") if isinstance(channel, dict) else channel
            own = channel.get("product_ids", common) if isinstance(channel, dict) else common
            if name in _CLOSED:
                raise _Refusal(f"{name} channel requires authentication")
            if name != _HEARTBEAT and name not in _TOPICS:
                raise _Refusal(f"{name} is not a valid channel")
            if unknown := [product for product in own if product not in self._venue.instruments]:
                raise _Refusal(f"{unknown[0]} is not a valid product")
            if verb == "subscribe" and not own:
                raise _Refusal(f"{name} needs products")
            asked[name] = own
        return asked

    def _change(self, verb: str, channel: str, products: list[str]) -> None:
        there = self._products.setdefault(channel, {})
        if verb == "subscribe":
            there |= dict.fromkeys(products)
            return
        for product in products or list(there):
            there.pop(product, None)
        if not there:
            del self._products[channel]

    def _all(self) -> bytes:
        channels = [
            {"name": _ALIASES.get(channel, channel), "product_ids": list(products)}
            for channel, products in self._products.items()
        ]
        return msgspec.json.encode({"type": "subscriptions", "channels": channels})


class CoinbaseExchange(Generated):
    """Coinbase Exchange."""

    endpoints: Mapping[str, str] = {"": "/"}
    idle_close = (1000, "")
    usual = ("BTC-USD", "ETH-USD")

    # Any: what `Generated` takes.
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._requests = requests_of(self.limits)

    def opened_by(self, target: str) -> Session:
        """A connection to the only path."""
        if urlsplit(target).path not in ("", "/"):
            raise BadTarget(404, f"no such path: {urlsplit(target).path}; take /")
        return CoinbaseExchangeSession(self, self.limits, self._requests)

    def listing(self, symbol: str) -> Listing:
        """Prices in cents, sizes with eight places."""
        price = price_of(symbol)
        tick = Decimal(1).scaleb(magnitude(price) - 6)
        return Listing(
            symbol=symbol, price=price, tick=tick, step=Decimal("0.00000001"), size=30_000 / price, style="fixed"
        )

    def names(self, symbol: str) -> tuple[str, ...]:
        """Its book, trades and quotes."""
        return tuple(f"{channel}:{symbol}" for channel in ("level2_batch", "matches", "ticker"))

    def knows(self, stream: str) -> bool:
        """Whether there is such a channel of such a product."""
        channel, _, product = stream.partition(":")
        return channel in _TOPICS and product in self.instruments

    def topic(self, name: str, now_ms: int) -> Topic | None:
        """The channel of a product."""
        channel, _, product = name.partition(":")
        return _TOPICS[channel](name, self.instruments[product]) if self.knows(name) else None

    def heartbeat(self, product: str, now_ms: int) -> bytes:
        """The heartbeat of a product; its last trade is the one that was told last."""
        matches = self._open.get(f"matches:{product}")
        last = matches.last_id if isinstance(matches, Matches) else self.instruments[product].trade_id
        told = {"type": "heartbeat", "last_trade_id": last, "product_id": product}
        return msgspec.json.encode({**told, "sequence": sequence_of(last), "time": time_text(now_ms)})


def _refused(verb: str, message: str, reason: str, broken: str | None = None) -> Reply:
    text = msgspec.json.encode({"type": "error", "message": message, "reason": reason})
    return Reply((text,), verb, broken=broken)
