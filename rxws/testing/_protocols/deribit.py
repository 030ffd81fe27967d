"""Deribit: JSON-RPC 2.0 over one path, its channels, and the heartbeat that must be answered.

Source: docs.deribit.com, "Notifications", "JSON-RPC overview", "Errors", "Rate limits" and the pages of the channels,
read 2026-11-20. What it does with channels that are not there, and when it closes, was measured by others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import msgspec

from rxws.testing._digits import Style
from rxws.testing._instrument import Instrument, Listing
from rxws.testing._limits import Limits, Pool
from rxws.testing._protocols.deribit_channels import Book, Chart, Quote, Ticker, Trades, Window, told
from rxws.testing._protocols.generated import Generated, magnitude, price_of
from rxws.testing._protocols.protocol import BadTarget, Beat, Reply, Session, Topic

__all__ = ["Deribit"]

_PATH = "/ws/api/v2"
_LONGEST = 32 * 1024
_BOOK = re.compile(r"(?:none\.(?P<levels>1|10|20)\.)?(?P<interval>100ms|agg2|raw)")
_MINUTES = ("1", "3", "5", "10", "15", "30", "60", "120", "180", "360", "720", "1D")
_INTERVALS = ("100ms", "agg2", "raw")
_STATE = "platform_state"
_REFILL, _SUBSCRIBE_COST, _COST = 10_000.0, 3_000.0, 500.0


class DeribitSession:
    """One connection to Deribit.

    Args:
        knows: whether there is such a channel.
        limits: what is not put up with.
        pools: what counts subscriptions, and other calls, of all connections.
    """

    variant = None

    def __init__(self, knows: Callable[[str], bool], limits: Limits, pools: tuple[Pool, Pool]) -> None:
        self._knows = knows
        self._limits = limits
        self._subscribing, self._calling = pools
        self._channels: dict[str, None] = {}
        self.served: dict[str, None] = {}
        self.beat: float | None = None
        self.asked = False
        self._logged_in = False

    def wrap(self, stream: str, text: bytes, number: int) -> bytes:
        """As it is."""
        return text

    def heartbeat(self, now_ms: int, idle: bool) -> Beat:
        """A `test_request`; where nothing else was sent, a `heartbeat` before it."""
        self.asked = True
        kinds = (b"heartbeat", b"test_request") if idle else (b"test_request",)
        return Beat(
            tuple(b'{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"%b"}}' % kind for kind in kinds), True
        )

    def shutdown_notice(self, now_ms: int) -> bytes | None:
        """Maintenance, for whoever listens to `platform_state`."""
        return told(_STATE, '{"maintenance":true}').encode() if _STATE in self._channels else None

    def error(self) -> bytes:
        """An error that says not to what."""
        return (
            b'{"jsonrpc":"2.0","error":{"message":"bad_request","code":11050},'
            b'"usIn":1,"usOut":2,"usDiff":1,"testnet":false}'
        )

    def unknown(self) -> bytes:
        """A notification that no client knows."""
        return b'{"jsonrpc":"2.0","method":"news","params":{"about":["nothing"]}}'

    def answer(self, text: bytes, now_ms: int, now: float) -> Reply:
        """What Deribit answers."""
        if len(text) > _LONGEST:
            return self._refused({}, "INVALID", -32600, "Invalid Request", now_ms)
        try:
            request = msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError):
            request = None
        if not isinstance(request, dict):
            return Reply((self.error(),), "INVALID")
        method, params = request.get("method"), request.get("params", {})
        if not isinstance(method, str) or not isinstance(params, dict):
            return self._refused(request, "INVALID", -32600, "Invalid Request", now_ms)
        subscribes = method in ("public/subscribe", "private/subscribe")
        if not (self._subscribing if subscribes else self._calling).admit(now):
            return self._refused(request, method, 10028, "too_many_requests", now_ms, "credits")
        return self._done(request, method, params, now_ms)

    def _done(self, request: dict[str, Any], method: str, params: dict[str, Any], now_ms: int) -> Reply:
        match method.partition("/")[2]:
            case "subscribe" | "unsubscribe" as verb:
                channels = params.get("channels")
                if not isinstance(channels, list) or not all(isinstance(channel, str) for channel in channels):
                    return self._refused(request, method, -32602, "Invalid params", now_ms)
                if verb == "unsubscribe":
                    return self._result(request, method, self._drop(channels), now_ms)
                return self._subscribe(request, method, channels, now_ms)
            case "unsubscribe_all":
                self._drop(list(self._channels))
                return self._result(request, method, "ok", now_ms)
            case "set_heartbeat":
                interval = params.get("interval")
                if not isinstance(interval, int | float) or interval < self._limits.min_heartbeat:
                    return self._refused(request, method, -32602, "Invalid params", now_ms)
                self.beat = float(interval)
                return self._result(request, method, "ok", now_ms)
            case "disable_heartbeat":
                self.beat, self.asked = None, False
                return self._result(request, method, "ok", now_ms)
            case "test" | "hello":
                self.asked = False
                return self._result(request, method, {"version": "1.2.26"}, now_ms)
            case "auth":
                self._logged_in = True
                token = {"access_token": "simulated", "refresh_token": "simulated", "expires_in": 900}
                return self._result(request, method, {**token, "token_type": "bearer"}, now_ms)
            case "get_time":
                return self._result(request, method, now_ms, now_ms)
        return self._refused(request, "INVALID", -32601, "Method not found", now_ms)

    def _subscribe(self, request: dict[str, Any], method: str, channels: list[str], now_ms: int) -> Reply:
        """Unknown channels are left out; one `raw` channel without a login fails the whole request."""
        if not self._logged_in and any(channel.endswith(".raw") for channel in channels):
            refused = "raw_subscriptions_not_available_for_unauthorized"
            return self._refused(request, method, 13778, refused, now_ms)
        taken = [channel for channel in dict.fromkeys(channels) if channel == _STATE or self._knows(channel)]
        served = [channel for channel in taken if channel != _STATE]
        fresh = tuple(channel for channel in served if channel not in self.served)
        self._channels |= dict.fromkeys(taken)
        self.served |= dict.fromkeys(served)
        return self._result(request, method, sorted(taken, reverse=True), now_ms, fresh)

    def _drop(self, channels: list[str]) -> list[str]:
        dropped = [channel for channel in dict.fromkeys(channels) if channel in self._channels]
        for channel in dropped:
            del self._channels[channel]
            self.served.pop(channel, None)
        return dropped

    # Any: results are any JSON.
    def _result(
        self, request: dict[str, Any], method: str, result: Any, now_ms: int, fresh: tuple[str, ...] = ()
    ) -> Reply:
        return Reply((_reply(request, {"result": result}, now_ms),), method, fresh)

    def _refused(
        self, request: dict[str, Any], method: str, code: int, message: str, now_ms: int, broken: str | None = None
    ) -> Reply:
        text = _reply(request, {"error": {"message": message, "code": code}}, now_ms)
        return Reply((text,), method, broken=broken)


class Deribit(Generated):
    """Deribit."""

    endpoints: Mapping[str, str] = {"": _PATH}
    usual = ("BTC-PERPETUAL", "ETH-PERPETUAL")
    jump = 20

    # Any: what `Generated` takes.
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        subscribing = Pool(self.limits.subscribe_credits, _REFILL, _SUBSCRIBE_COST)
        self._pools = (subscribing, Pool(self.limits.credits, _REFILL, _COST))

    def opened_by(self, target: str) -> Session:
        """A connection to `/ws/api/v2`."""
        if urlsplit(target).path.rstrip("/") != _PATH:
            raise BadTarget(404, f"no such path: {urlsplit(target).path}; take {_PATH}")
        return DeribitSession(self.knows, self.limits, self._pools)

    def listing(self, symbol: str) -> Listing:
        """Numbers; amounts are US dollars."""
        price = price_of(symbol)
        tick = 5 * Decimal(1).scaleb(magnitude(price) - 5)
        step = Decimal(10) if symbol.startswith("BTC") else Decimal(1)
        style: Style = "exponent" if "exponents" in self.quirks else "number"
        return Listing(symbol=symbol, price=price, tick=tick, step=step, size=Decimal(20_000), style=style)

    def names(self, symbol: str) -> tuple[str, ...]:
        """Its book, trades, quotes and minutes."""
        return (f"book.{symbol}.100ms", f"trades.{symbol}.100ms", f"quote.{symbol}", f"chart.trades.{symbol}.1")

    def knows(self, stream: str) -> bool:
        """Whether there is such a channel."""
        return self._read(stream) is not None

    def topic(self, name: str, now_ms: int) -> Topic | None:
        """The channel of that name."""
        read = self._read(name)
        if read is None:
            return None
        kind, instrument, rest = read
        if kind == "book":
            book = _BOOK.fullmatch(rest)
            assert book is not None
            return Window(name, instrument, int(book["levels"])) if book["levels"] else Book(name, instrument)
        if kind == "chart":
            minutes = 1_440 if rest == "1D" else int(rest)
            return Chart(name, instrument, self.candle_ms or minutes * 60_000, now_ms)
        kinds: dict[str, Callable[[str, Instrument], Topic]] = {"trades": Trades, "ticker": Ticker, "quote": Quote}
        return kinds[kind](name, instrument)

    def _read(self, name: str) -> tuple[str, Instrument, str] | None:
        """Its kind, its instrument, and what follows; None: there is no such channel."""
        kind, _, rest = name.removeprefix("chart.").partition(".")
        symbol, _, rest = rest.partition(".")
        instrument = self.instruments.get(symbol)
        if name.startswith("chart."):
            good, kind = kind == "trades" and rest in _MINUTES, "chart"
        elif kind == "book":
            good = _BOOK.fullmatch(rest) is not None
        else:
            good = (kind in ("trades", "ticker") and rest in _INTERVALS) or (kind == "quote" and not rest)
        return (kind, instrument, rest) if good and instrument is not None else None


def _reply(request: dict[str, Any], outcome: dict[str, Any], now_ms: int) -> bytes:
    number = {"id": request["id"]} if "id" in request else {}
    took = {"usIn": now_ms * 1_000, "usOut": now_ms * 1_000 + 177, "usDiff": 177, "testnet": False}
    return msgspec.json.encode({"jsonrpc": "2.0", **number, **outcome, **took})
