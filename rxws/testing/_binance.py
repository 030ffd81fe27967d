"""What Binance's market streams understand and answer; pure: text in, text out.

Source: Binance, "WebSocket Streams for Binance" (web-socket-streams.md, 2026-07-21), sections
"General WSS information" and "Live Subscribing/Unsubscribing to streams".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from rxws.testing._protocols.protocol import BadTarget, Beat, Reply

__all__ = ["Subscriptions", "Target", "event", "opened_by", "read"]

_PATH = re.compile(r"(?:/(?P<route>public|market))?/(?:(?P<stream>stream)|ws)(?P<names>/.*)?")
_ID = re.compile(r"[A-Za-z0-9_-]{1,36}")
_METHODS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")
_ABSENT = object()


class _Refusal(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message


class Subscriptions:
    """What one connection listens to, and how it wants it wrapped.

    Args:
        names: the streams of the URL.
        combined: whether each message comes as `{"stream": …, "data": …}`.
        limit: how many streams there may be; None: any number.
        serves: whether messages of a stream come, which is acknowledged whatever it is called.
        numbered: whether each message carries its number, as `n`.
        bare: whether errors come as Binance documents them, without a wrapper and the request's id.
    """

    beat: float | None = None
    asked = False

    def __init__(
        self,
        names: Iterable[str],
        combined: bool,
        limit: int | None,
        *,
        serves: Callable[[str], bool] | None = None,
        numbered: bool = True,
        bare: bool = False,
    ) -> None:
        self.streams: dict[str, None] = dict.fromkeys(names)
        self.combined = combined
        self._limit = limit
        self._serves = serves
        self._numbered = numbered
        self._bare = bare
        self.served: Mapping[str, None] = self._heard()

    @property
    def variant(self) -> bool:
        """Whether messages are wrapped."""
        return self.combined

    def answer(self, text: bytes, now_ms: int = 0, now: float = 0.0) -> Reply:
        """What Binance answers to the request `text`; unknown streams are taken without a word."""
        method, number, error = "INVALID", _ABSENT, None
        reply: dict[str, Any] = {}
        before = self.served
        try:
            request = _decoded(text)
            number = _number(request)
            method = _method(request)
            reply["result"] = self._do(method, request.get("params", []))
        except _Refusal as refusal:
            error = refusal.code
            told = {"code": refusal.code, "msg": refusal.message}
            reply = told if self._bare else {"error": told}
        if number is not _ABSENT and not (self._bare and error is not None):
            reply["id"] = number
        self.served = self._heard()
        fresh = tuple(name for name in self.served if name not in before)
        closing = ((1008, "Invalid request"), "streams") if error == 4 else (None, None)
        return Reply((msgspec.json.encode(reply),), method, fresh, *closing)

    def wrap(self, stream: str, text: bytes, number: int) -> bytes:
        """A message as this connection gets it."""
        return event(stream, text, self.combined, number if self._numbered else None)

    def heartbeat(self, now_ms: int, idle: bool) -> Beat:
        """There is none in JSON: Binance pings."""
        return Beat(())

    def shutdown_notice(self, now_ms: int) -> bytes | None:
        """The text of `serverShutdown`, which carries no number: it is no market data."""
        return event("!serverShutdown", b'{"e":"serverShutdown","E":%d}' % now_ms, self.combined)

    def error(self) -> bytes:
        """An error that says not to what, as Binance documents them."""
        return b'{"code":2,"msg":"Invalid request: invalid stream"}'

    def unknown(self) -> bytes:
        """An event that no client knows."""
        return event("!news", b'{"e":"news","E":0,"about":["nothing"]}', self.combined)

    def _heard(self) -> dict[str, None]:
        serves = self._serves
        return self.streams if serves is None else {name: None for name in self.streams if serves(name)}

    # Any: parameters are any JSON, and so are results.
    def _do(self, method: str, params: Any) -> Any:
        match method:
            case "SUBSCRIBE":
                return self._subscribe(_names(params))
            case "UNSUBSCRIBE":
                for name in _names(params):
                    self.streams.pop(name, None)
                return None
            case "LIST_SUBSCRIPTIONS":
                _at_most(0, params)
                return list(self.streams)
            case "SET_PROPERTY":
                return self._set(params)
            case _:
                _property(params, parameters=1)
                return self.combined

    def _subscribe(self, names: list[str]) -> None:
        wanted = self.streams | dict.fromkeys(names)
        if self._limit is not None and len(wanted) > self._limit:
            raise _Refusal(4, "Too many subscriptions")
        self.streams = wanted

    def _set(self, params: Any) -> None:
        _property(params, parameters=2)
        if len(params) < 2 or not isinstance(params[1], bool):
            raise _Refusal(1, "Invalid value type: expected Boolean")
        self.combined = params[1]


@dataclass(frozen=True, slots=True)
class Target:
    """What a URL asks for."""

    route: str
    """`public`, `market`, or nothing."""
    combined: bool
    names: tuple[str, ...]


def read(target: str, limit: int | None) -> Target:
    """What `target`, path and query of a URL, asks for.

    Raises:
        BadTarget: such a URL is refused.
    """
    parts = urlsplit(target)
    path = _PATH.fullmatch(unquote(parts.path))
    if path is None:
        raise BadTarget(404, f"no such path: {parts.path}; take /ws or /stream")
    query = parse_qs(parts.query)
    if query.get("timeUnit", ["millisecond"])[0].lower() != "millisecond":
        raise BadTarget(400, "timeUnit: only milliseconds are simulated")
    combined = path["stream"] is not None
    listed = query.get("streams", [""])[0] if combined else path["names"] or ""
    names = tuple(name for name in listed.split("/") if name)
    if limit is not None and len(names) > limit:
        raise BadTarget(400, "Too many subscriptions")
    return Target(path["route"] or "", combined, names)


def opened_by(target: str, limit: int | None) -> Subscriptions:
    """What a connection to `target` listens to from the start.

    Raises:
        BadTarget: such a URL is refused.
    """
    asked = read(target, limit)
    return Subscriptions(asked.names, asked.combined, limit)


def event(stream: str, data: bytes, combined: bool, number: int | None = None) -> bytes:
    """One message of `stream` as it is on the wire, wrapped or raw, its `number` as `n`."""
    ending = b"}" if number is None else b',"n":%d}' % number
    if combined:
        return b'{"stream":%b,"data":%b%b' % (msgspec.json.encode(stream), data, ending)
    return data[:-1] + ending


def _decoded(text: bytes) -> dict[str, Any]:
    try:
        request = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise _Refusal(3, "Invalid JSON: expected value at line 1 column 1") from None
    if not isinstance(request, dict):
        raise _Refusal(2, "Invalid request: missing field `method`")
    return request


def _number(request: dict[str, Any]) -> int | str | None:
    match request.get("id", _ABSENT):
        case None:
            return None
        case str(text) if _ID.fullmatch(text):
            return text
        case int(number) if not isinstance(number, bool) and -(2**63) <= number < 2**63:
            return number
    raise _Refusal(2, "Invalid request: request ID must be an unsigned integer")


def _method(request: dict[str, Any]) -> str:
    method = request.get("method")
    if method is None:
        raise _Refusal(2, "Invalid request: missing field `method`")
    if method not in _METHODS:
        known = ", ".join(f"`{known}`" for known in _METHODS)
        raise _Refusal(2, f"Invalid request: unknown variant `{method}`, expected one of {known}")
    return str(method)


def _names(params: Any) -> list[str]:
    names = params if isinstance(params, list) else []
    if not names or not all(isinstance(name, str) and name for name in names):
        raise _Refusal(2, "Invalid request: invalid stream")
    return names


def _property(params: Any, parameters: int) -> None:
    _at_most(parameters, params)
    if not params or not isinstance(params[0], str):
        raise _Refusal(2, "Invalid request: property name must be a string")
    if params[0] != "combined":
        raise _Refusal(0, "Unknown property")


def _at_most(count: int, params: Any) -> None:
    if not isinstance(params, list) or len(params) > count:
        raise _Refusal(2, "Invalid request: too many parameters")
