"""What arguments must be, checked where an observable is built."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from numbers import Integral
from sys import float_info
from typing import Literal
from urllib.parse import unquote, urlsplit

from rxws.errors import ConfigError
from rxws.redaction import masked

__all__ = [
    "POLICIES",
    "ClientOverflow",
    "OverflowPolicy",
    "check_bound",
    "check_close",
    "check_close_codes",
    "check_header_value",
    "check_headers",
    "check_url",
    "fraction",
    "function",
    "seconds",
    "size",
    "whole",
    "zero_or_more",
]

# A token, RFC 9110 section 5.6.2.
HEADER_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
# Visible characters, spaces and tabs, RFC 9110 section 5.5: a line break would begin another header.
HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
SHOWN_OF_A_NAME = 20

OverflowPolicy = Literal["error", "drop_oldest", "drop_newest", "latest"]
ClientOverflow = OverflowPolicy | Literal["block"]
POLICIES = ("error", "drop_oldest", "drop_newest", "latest")


def seconds(name: str, value: float | None, *, least: float = 0.0, optional: bool = True) -> None:
    """Refuse what is not a number of seconds above `least`, or None where that is `optional`.

    Raises:
        ConfigError: it names `name`.
    """
    if value is None and optional:
        return
    way_out = ", or None for no limit" if optional else ""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ConfigError(name, f"{value!r} is no float or int; take seconds{way_out}")
    if not least < value <= float_info.max:
        raise ConfigError(name, f"{value!r} is out of range; take more than {least:g} seconds{way_out}")


def zero_or_more(name: str, value: float | None, *, optional: bool = False) -> None:
    """Refuse what is not a number of seconds, 0 or more, or None where that is `optional`.

    Raises:
        ConfigError: it names `name`.
    """
    if value is None and optional:
        return
    way_out = ", or None for no limit" if optional else ""
    if isinstance(value, bool) or not (isinstance(value, (int, float)) and 0.0 <= value <= float_info.max):
        raise ConfigError(name, f"{value!r} is out of range; take seconds, 0 or more{way_out}")


def fraction(name: str, value: float) -> None:
    """Refuse what is not a number from 0 to 1.

    Raises:
        ConfigError: it names `name`.
    """
    if isinstance(value, bool) or not (isinstance(value, (int, float)) and 0.0 <= value <= 1.0):
        raise ConfigError(name, f"{value!r} is out of range; take a fraction from 0 to 1")


def function(name: str, value: object, of: str) -> None:
    """Refuse what cannot be called, before it would have to be.

    Raises:
        ConfigError: it names `name`.

    >>> function("when", 5.0, "a RepeatSignal")
    Traceback (most recent call last):
    rxws.errors.ConfigError: when: 5.0 is not callable; take a function of a RepeatSignal
    """
    if not callable(value):
        raise ConfigError(name, f"{value!r} is not callable; take a function of {of}")


def size(name: str, value: int | None) -> None:
    """Refuse what is not a number of bytes, 1 or more, or None.

    Raises:
        ConfigError: it names `name`.
    """
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise ConfigError(name, f"{value!r} is out of range; take a number of bytes, 1 or more, or None for no limit")


def whole(name: str, value: int | None, *, optional: bool = False) -> None:
    """Refuse what is not a whole number, 1 or more, or None where that is `optional`.

    Raises:
        ConfigError: it names `name`.
    """
    if value is None and optional:
        return
    way_out = ", or None for no limit" if optional else ""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise ConfigError(name, f"{value!r} is out of range; take a whole number, 1 or more{way_out}")


def check_bound(maxsize: object, overflow: object, *, block: bool = False, name: str = "overflow") -> None:
    """Refuse what is no bound, or no policy for what goes beyond it; "block" only where it can be had.

    Raises:
        ConfigError: it names the argument: `maxsize`, or the policy's `name`.
    """
    if isinstance(maxsize, bool) or not isinstance(maxsize, int) or maxsize < 1:
        raise ConfigError("maxsize", f"{maxsize!r} is out of range; take a number of values, 1 or more")
    policies = (*POLICIES, "block") if block else POLICIES
    if overflow not in policies:
        raise ConfigError(name, f"{overflow!r} is unknown; take one of {', '.join(policies)}")


def check_url(url: object, options: Mapping[str, object]) -> None:
    """Refuse what is no WebSocket URL (RFC 6455, section 3).

    Raises:
        ConfigError: it names `url`, without its secrets, or the option that does not go with it.
    """
    if not isinstance(url, str):
        raise ConfigError("url", f"{type(url).__name__} is no string; take ws://… or wss://…")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
        user = unquote(parts.username or "", errors="strict")
        unquote(parts.password or "", errors="strict")
        (host or "").encode("idna")
    except ValueError:  # its text may hold a password, so it is not told on
        raise ConfigError(
            "url",
            f"{masked(url)!r} is no URL; take ws://host[:port]/path, the port at most 65535, with what is special in "
            "it percent-encoded",
        ) from None
    if parts.scheme not in ("ws", "wss"):
        raise ConfigError("url", f"{masked(url)!r} does not begin with ws:// or wss://; take wss://host/path")
    if not host:
        raise ConfigError("url", f"{masked(url)!r} has no host; take ws://host[:port]/path")
    if parts.fragment:
        raise ConfigError("url", f"{masked(url)!r} has a fragment, which WebSocket URLs have not; write # as %23")
    if re.search(r"\s", url) or not url.isprintable():
        raise ConfigError("url", f"{masked(url)!r} has a space or a control character; percent-encode it")
    if parts.username is not None and parts.password is None:
        raise ConfigError("url", f"{masked(url)!r} has a user without a password; write user:password@, or neither")
    if ":" in user:
        raise ConfigError("url", f"{masked(url)!r} has a user with a colon in it, which HTTP cannot send (RFC 7617)")
    for name in ("ssl", "server_hostname"):
        if parts.scheme == "ws" and options.get(name) is not None:
            raise ConfigError(name, f"a ws:// URL is not encrypted; take wss://, or leave {name} out")


def check_close(code: object, reason: str) -> None:
    """Refuse what no close frame can carry (RFC 6455, sections 5.5 and 7.4).

    Raises:
        ConfigError: it names `code` or `reason`.
    """
    sendable = (
        isinstance(code, int) and (1000 <= code <= 1014 or 3000 <= code < 5000) and code not in (1004, 1005, 1006)
    )
    if not sendable:
        raise ConfigError("code", f"{code!r} cannot be sent; take 1000, 1001 or 3000 to 4999")
    if not isinstance(reason, str):
        raise ConfigError("reason", f"{reason!r} is no string; take one of 123 bytes at most")
    try:
        length = len(reason.encode())
    except UnicodeEncodeError:
        raise ConfigError("reason", "it holds half a character, which UTF-8 has not; take whole ones") from None
    if length > 123:
        raise ConfigError("reason", f"it has {length} bytes; take 123 at most")


def check_close_codes(name: str, codes: Iterable[object]) -> None:
    """Refuse what is no close code, among `codes` (RFC 6455, section 7.4.2).

    Raises:
        ConfigError: it names `name`.
    """
    for code in codes:
        if isinstance(code, bool) or not isinstance(code, int) or not 1000 <= code < 5000:
            raise ConfigError(name, f"{code!r} is no close code; take 1000 to 4999")


def check_header_value(field: str, value: object, of: str = "it") -> None:
    """Refuse what would be no value of a header, or begin another header.

    Args:
        field: the argument.
        value: what is checked; it is never told.
        of: what has this value.

    Raises:
        ConfigError: it names `field`.
    """
    if not (isinstance(value, str) and HEADER_VALUE.fullmatch(value)):
        raise ConfigError(field, f"{of} is no header value; take a string of one line, in Latin-1")


def check_headers(headers: Mapping[str, str] | None) -> None:
    """Refuse headers that HTTP has not.

    Raises:
        ConfigError: it names the header, never its value.
    """
    if headers is None:
        return
    if not isinstance(headers, Mapping):
        raise ConfigError("headers", f"{type(headers).__name__} is no mapping; take a dict of names and values")
    for name, value in headers.items():
        if not isinstance(name, str):
            raise ConfigError("headers", f"{type(name).__name__} is no header name; take a string")
        if not HEADER_NAME.fullmatch(name):
            # A whole line given as a name holds the value, so only the name's beginning is told.
            begins = HEADER_NAME.match(name)
            shown = begins[0][:SHOWN_OF_A_NAME] if begins else ""
            raise ConfigError("headers", f"{shown!r} begins no header name; take letters, digits and dashes")
        check_header_value("headers", value, f"the value of {name!r}")
