"""OKX v5: its two public endpoints, one answer for each argument, and the `ping` that is no JSON.

Source: www.okx.com/docs-v5, "WebSocket" and the pages of the channels, as of August 2026; the words of its errors as
others have captured them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import msgspec

from rxws.errors import ConfigError
from rxws.testing._instrument import Instrument, Listing
from rxws.testing._limits import Limits, requests_of
from rxws.testing._protocols.generated import Generated, magnitude, price_of
from rxws.testing._protocols.okx_channels import AllTrades, Books, Candles, Numbering, Tickers, Top, Trades
from rxws.testing._protocols.protocol import BadTarget, Beat, Reply, Session, Topic

__all__ = ["Okx"]

_PATH = re.compile(r"/ws/v5/(public|business)/?")
_ID = re.compile(r"[A-Za-z0-9]{1,32}")
_CANDLE = re.compile(r"candle(?P<count>1|3|5|15|30|2|4|6|12)(?P<unit>s|m|H|D)(?:utc)?")
_UNITS_MS = {"s": 1_000, "m": 60_000, "H": 3_600_000, "D": 86_400_000}
_PUBLIC = ("books", "books5", "bbo-tbt", "trades", "tickers")


class OkxSession:
    """One connection to OKX.

    Args:
        serial: the number of the connection.
        knows: whether there is such a channel on its endpoint.
        limits: what is not put up with.
    """

    variant = None
    beat: float | None = None
    asked = False

    def __init__(self, serial: int, knows: Callable[[str], bool], limits: Limits) -> None:
        self._connection = f"{0xC0FFEE00 + serial:08x}"
        self._knows = knows
        self._requests = requests_of(limits)
        self.served: dict[str, None] = {}

    def wrap(self, stream: str, text: bytes, number: int) -> bytes:
        """As it is."""
        return text

    def heartbeat(self, now_ms: int, idle: bool) -> Beat:
        """There is none: the client pings."""
        return Beat(())

    def shutdown_notice(self, now_ms: int) -> bytes | None:
        """The notice 64008."""
        words = "The connection will soon be closed for a service upgrade. Please reconnect."
        return self._told({"event": "notice", "code": "64008", "msg": words})

    def error(self) -> bytes:
        """An error that says not to what."""
        return self._told({"event": "error", "code": "60012", "msg": "Invalid request"})

    def unknown(self) -> bytes:
        """An event of private channels, which no public client knows."""
        return self._told({"event": "channel-conn-count", "channel": "orders", "connCount": "2"})

    def answer(self, text: bytes, now_ms: int, now: float) -> Reply:
        """What OKX answers."""
        if text == b"ping":
            return Reply((b"pong",), "ping", acknowledges=False)
        try:
            request = msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError):
            request = None
        verb = request.get("op") if isinstance(request, dict) else None
        number = request.get("id") if isinstance(request, dict) else None
        if verb not in ("subscribe", "unsubscribe") or not _is_id(number):
            return self._refused(None, "INVALID", "60012", f"Invalid request: {text.decode(errors='replace')}")
        if not self._requests.admit(now):
            return self._refused(number, verb, "60014", "Requests too frequent", "requests")
        args = request.get("args")
        if not isinstance(args, list) or not args or not all(isinstance(arg, dict) for arg in args):
            return self._refused(number, verb, "60013", "Invalid args")
        before = self.served.copy()
        texts = tuple(self._one(verb, arg, number, text) for arg in args)
        return Reply(texts, verb, tuple(name for name in self.served if name not in before))

    # Any: an argument is any JSON object.
    def _one(self, verb: str, arg: dict[str, Any], number: str | None, text: bytes) -> bytes:
        """The answer to one argument: itself, or an error; the others do not suffer from it."""
        channel, symbol = arg.get("channel"), arg.get("instId")
        if not isinstance(channel, str) or not isinstance(symbol, str):
            words = f"Invalid request: {text.decode(errors='replace')}"
            return self._told({"event": "error", "code": "60012", "msg": words}, number)
        name = f"{channel}:{symbol}"
        if not self._knows(name):
            words = (
                f"Wrong URL or channel:{channel},instId:{symbol} doesn't exist. "
                "Please use the correct URL, channel and parameters referring to API document."
            )
            return self._told({"event": "error", "code": "60018", "msg": words}, number)
        if verb == "subscribe":
            self.served[name] = None
        else:
            self.served.pop(name, None)
        return self._told({"event": verb, "arg": {"channel": channel, "instId": symbol}}, number)

    def _refused(self, number: str | None, verb: str, code: str, words: str, broken: str | None = None) -> Reply:
        return Reply((self._told({"event": "error", "code": code, "msg": words}, number),), verb, broken=broken)

    def _told(self, told: dict[str, Any], number: str | None = None) -> bytes:
        named = {} if number is None else {"id": number}
        return msgspec.json.encode({**named, **told, "connId": self._connection})


class Okx(Generated):
    """OKX v5.

    Args:
        checksums: whether `books` has real checksums; today it has 0.
    """

    idle_close = (4004, "No data received in 30s")
    endpoints: Mapping[str, str] = {"public": "/ws/v5/public", "business": "/ws/v5/business"}
    usual = ("BTC-USDT", "ETH-USDT")
    jump = 20

    # Any: what `Generated` takes.
    def __init__(self, *args: Any, checksums: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._checksums = checksums
        self._serials = count(1)
        self._numbering = {symbol: Numbering() for symbol in self.instruments}

    def opened_by(self, target: str) -> Session:
        """A connection to `/ws/v5/public` or `/ws/v5/business`."""
        path = _PATH.fullmatch(urlsplit(target).path)
        if path is None:
            raise BadTarget(404, f"no such path: {urlsplit(target).path}; take /ws/v5/public or /ws/v5/business")
        public = path[1] == "public"

        def knows(name: str) -> bool:
            return self.knows(name) and (name.partition(":")[0] in _PUBLIC) is public

        return OkxSession(next(self._serials), knows, self.limits)

    def listing(self, symbol: str) -> Listing:
        """As few digits as it takes."""
        price = price_of(symbol)
        power = magnitude(price)
        step = Decimal(1).scaleb(max(-8, min(0, -power)))
        tick = Decimal(1).scaleb(power - 5)
        return Listing(symbol=symbol, price=price, tick=tick, step=step, size=30_000 / price, style="short")

    def names(self, symbol: str) -> tuple[str, ...]:
        """Its book, trades, day and minutes."""
        return tuple(f"{channel}:{symbol}" for channel in ("books", "trades", "tickers", "candle1m"))

    def knows(self, stream: str) -> bool:
        """Whether there is such a channel on either endpoint."""
        channel, _, symbol = stream.partition(":")
        known = channel in _PUBLIC or channel == "trades-all" or _CANDLE.fullmatch(channel) is not None
        return known and symbol in self.instruments

    def topic(self, name: str, now_ms: int) -> Topic | None:
        """The channel of that name."""
        if not self.knows(name):
            return None
        channel, _, symbol = name.partition(":")
        instrument, numbering = self.instruments[symbol], self._numbering[symbol]
        match channel:
            case "books":
                return Books(name, instrument, numbering, self._checksums)
            case "books5" | "bbo-tbt":
                return Top(name, instrument, numbering, 5 if channel == "books5" else 1)
            case "trades":
                return Trades(name, instrument, numbering)
            case "trades-all":
                return AllTrades(name, instrument)
            case "tickers":
                return Tickers(name, instrument)
        return self._candles(name, channel, instrument, now_ms)

    def _candles(self, name: str, channel: str, instrument: Instrument, now_ms: int) -> Topic:
        found = _CANDLE.fullmatch(channel)
        assert found is not None
        length = int(found["count"]) * _UNITS_MS[found["unit"]]
        return Candles(name, instrument, self.candle_ms or length, now_ms)

    # What it does on order

    def keep_alives(self, now_ms: int) -> list[tuple[str, bytes]]:
        """The keep-alive of each `books` that somebody listens to."""
        return [(books.name, books.keep_alive(now_ms).encode()) for books in self._books()]

    def set_back(self, symbol: str | None) -> None:
        """The sequence of a symbol, or of all, is set back by maintenance."""
        if symbol is not None and symbol not in self.instruments:
            raise ConfigError("symbol", f"{symbol!r} is not traded; take one of {list(self.instruments)}")
        for name in self.instruments if symbol is None else (symbol,):
            self._numbering[name].set_back(self.instruments[name].book.update_id)

    def spoil_checksums(self, count: int) -> int:
        """The next `count` checksums of each `books` are wrong; how many books that are."""
        if not self._checksums:
            raise ConfigError("checksums", "False tells 0, which cannot be wrong; take True")
        books = self._books()
        for each in books:
            each.bad_checksums += count
        return len(books)

    def _books(self) -> list[Books]:
        return [topic for _, topic in sorted(self._open.items()) if isinstance(topic, Books)]


def _is_id(number: Any) -> bool:
    return number is None or (isinstance(number, str) and _ID.fullmatch(number) is not None)
