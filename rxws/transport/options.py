"""The options that go to the transport as they are."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import TypedDict

from rxws.errors import ConfigError

__all__ = ["TransportOptions", "check_known"]

_KINDS: Mapping[str, tuple[tuple[type, ...], str]] = {
    "subprotocols": ((list, tuple), "a list of strings"),
    "compression": ((str,), '"deflate", or None for none'),
    "ssl": ((ssl.SSLContext,), "an ssl.SSLContext, or None for the system's authorities"),
    "server_hostname": ((str,), "a host name"),
    "proxy": ((str, bool), "a proxy's URL, True for the system's, or None for none"),
    "origin": ((str,), "a string"),
    "user_agent_header": ((str,), "a string, or None for none"),
    "host": ((str,), "a host name or an address"),
    "port": ((int,), "a number from 1 to 65535"),
    "local_addr": ((tuple,), "a tuple of address and port"),
    "outbox": ((int,), "a number of bytes, 1 or more"),
}


class TransportOptions(TypedDict, total=False):
    """What `connect` and `ws_observable` hand to the transport; all optional.

    Attributes:
        subprotocols: in order of preference (RFC 6455, section 1.9).
        compression: "deflate" (permessage-deflate, RFC 7692) or None; by default "deflate", with picows None.
        ssl: a context for wss:// URLs; None (the default): certificates are verified by the system's authorities.
        server_hostname: the name to verify, where it is not the URL's.
        proxy: a proxy's URL, None for none, True (the default) for the system's.
        origin: the Origin header.
        user_agent_header: the User-Agent header; None: none.
        host, port: where to connect to, where it is not the URL's.
        local_addr: the address and port to connect from.
        outbox: bytes that may wait to be sent; 16 MiB by default.

    What is not marked otherwise is as if it was not given where it is None.
    """

    subprotocols: Sequence[str] | None
    compression: str | None
    ssl: ssl.SSLContext | None
    server_hostname: str | None
    proxy: str | bool | None
    origin: str | None
    user_agent_header: str | None
    host: str | None
    port: int | None
    local_addr: tuple[str, int] | None
    outbox: int


def check_known(options: Mapping[str, object], others: Iterable[str] = ()) -> None:
    """Refuse names that are not options, and values of another kind than theirs.

    Args:
        options: by name.
        others: keywords that may have been meant.

    Raises:
        ConfigError: it names the first one that is wrong, and what would be right.
    """
    for name, value in options.items():
        if name not in _KINDS:
            meant = get_close_matches(name, [*others, *_KINDS], n=1)
            known = f"did you mean {meant[0]!r}?" if meant else f"there are {', '.join(sorted({*others, *_KINDS}))}"
            raise ConfigError(name, f"no such option; {known}")
        kinds, right = _KINDS[name]
        a_flag = isinstance(value, bool) and bool not in kinds  # True is an int too
        if value is not None and (a_flag or not isinstance(value, kinds)):
            # Its kind and not the value: a proxy's URL may hold a password.
            raise ConfigError(name, f"{type(value).__name__} is the wrong kind; take {right}")
