"""What websockets is given for a dial, and what it means when one fails."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from email.utils import parsedate_to_datetime
from importlib.util import find_spec
from typing import Any, cast

from reactivex import abc
from websockets.exceptions import InvalidProxy, InvalidStatus
from websockets.headers import validate_subprotocols
from websockets.proxy import parse_proxy

from rxws.arguments import check_header_value
from rxws.errors import ConfigError, ConnectionFailed, Disconnected, HandshakeRejected
from rxws.redaction import masked
from rxws.transport._deflate import DeflateFactory
from rxws.transport._secrets import Secrets
from rxws.transport.options import check_known
from rxws.transport.protocol import Dial

__all__ = ["OUTBOX", "arguments", "check", "failure", "retry_after", "wire_log"]

OUTBOX = 16 * 2**20

LONGEST_WAIT = 86_400.0
"""Seconds of a Retry-After that are kept: a day. What asks for more is a mistake, and would be a wait for ever."""

# Where None is a choice of its own. Elsewhere it means: as if it was not given.
NONE_COUNTS = frozenset({"compression", "proxy", "user_agent_header"})


def check(options: Mapping[str, object]) -> None:
    """Refuse what websockets would refuse again and again, each time that it dials.

    Raises:
        ConfigError: it names the option.
    """
    check_known(options)
    given = {name: value for name, value in options.items() if value is not None}
    if cast(int, given.get("outbox", OUTBOX)) < 1:
        raise ConfigError("outbox", f"{given['outbox']!r} is out of range; take a number of bytes, 1 or more")
    if not 0 < cast(int, given.get("port", 1)) < 2**16:
        raise ConfigError("port", f"{given['port']!r} is out of range; take a number from 1 to 65535")
    if given.get("compression", "deflate") != "deflate":
        raise ConfigError("compression", f'{given["compression"]!r} is unknown; take "deflate" or None')
    for name in ("origin", "user_agent_header"):
        if name in given:
            check_header_value(name, given[name])
    for name in ("server_hostname", "host"):
        if given.get(name) == "":  # asyncio takes an empty name for: verify none
            raise ConfigError(name, "it is empty; take a name, or None for the URL's own")
    if "subprotocols" in given:
        _check_subprotocols(given["subprotocols"])
    if isinstance(given.get("proxy"), str):
        _check_proxy(given)
    elif given.get("proxy") is False:
        raise ConfigError("proxy", "False is no choice; take None for no proxy")


def _check_subprotocols(names: Any) -> None:  # Any: what it holds is being checked
    try:
        validate_subprotocols(names)
        empty = not names
    except (TypeError, ValueError):
        empty = True
    if empty:
        # Not the names themselves: some venues take a token there.
        raise ConfigError("subprotocols", "it cannot be asked for; take a list of names, without spaces")


def _check_proxy(given: Mapping[str, object]) -> None:
    proxy = cast(str, given["proxy"])
    try:
        scheme = parse_proxy(proxy).scheme
    except (InvalidProxy, ValueError):
        right = "take http://host:port or socks5://host:port, with user:password@ where it asks"
        raise ConfigError("proxy", f"{masked(proxy)!r} is no proxy; {right}") from None
    if scheme.startswith("socks") and find_spec("python_socks") is None:
        raise ConfigError("proxy", f"{scheme} needs another package; pip install python-socks[asyncio]")
    for name in ("host", "port"):
        if name in given:
            raise ConfigError(name, "a proxy goes to the URL's own host and port; leave it out, or the proxy")


def arguments(options: Mapping[str, object]) -> dict[str, Any]:  # Any: as websockets' own, by name
    """Return checked options as websockets takes them."""
    taken: dict[str, Any] = {
        name: value
        for name, value in options.items()
        if name != "outbox" and (value is not None or name in NONE_COUNTS)
    }
    if taken.get("compression", "deflate"):
        taken["extensions"] = [DeflateFactory()]  # websockets adds none where there is one
    return taken


def wire_log() -> logging.Logger:
    """Return the logger for websockets, which logs requests with their headers, and frames, at DEBUG: secrets.

    It is one of its own, "rxws.wire", that says nothing below INFO, unless somebody asks for it by this name.
    """
    log = logging.getLogger("rxws.wire")
    # For each dial: who configures "rxws" by `logging.config` takes the levels of all below it back.
    if log.level == logging.NOTSET:
        log.setLevel(logging.INFO)
    return log


def failure(error: Exception, dial: Dial, redirects: Iterable[str], scheduler: abc.SchedulerBase) -> Disconnected:
    """Turn what websockets or the system raised while opening into our own error, raised from it.

    Args:
        error: what was raised; it keeps no secret and nothing that cannot be printed.
        dial: what was asked for.
        redirects: where it was led to.
        scheduler: whose wall clock a date in the answer counts from.
    """
    wait: float | None = None
    if isinstance(error, InvalidStatus):
        asked = [retry_after(header, scheduler) for header in error.response.headers.get_all("Retry-After")]
        wait = max((seconds for seconds in asked if seconds is not None), default=None)
    Secrets(dial, redirects).cleanse(error)
    failed: ConnectionFailed
    if isinstance(error, InvalidStatus):
        failed = HandshakeRejected(dial.url, error.response.status_code, wait, bytes(error.response.body))
    else:
        failed = ConnectionFailed(dial.url, 1, error)
    failed.__cause__ = error
    return failed


def retry_after(header: str, scheduler: abc.SchedulerBase) -> float | None:
    """Return the seconds that a Retry-After header asks for: a number, or a date (RFC 9110, section 10.2.3)."""
    if header.strip().isdecimal():
        return min(float(header), LONGEST_WAIT)
    try:
        date = parsedate_to_datetime(header)
        return min(max(0.0, (date - scheduler.now).total_seconds()), LONGEST_WAIT)
    except (ValueError, TypeError, OverflowError):  # no date, or one without a time zone
        return None
