"""What may be shown of a URL, and of a text with URLs in it: everything but the secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

__all__ = ["masked", "masked_echo", "masked_text", "masked_values"]

# Binance's listen keys are 64 letters and digits in the path; stream names hold "@" and are left alone.
TOKEN = re.compile(r"(?<![^/])[A-Za-z0-9_\-=.%+~]{24,}(?![^/])")
# A host and a port, RFC 3986 section 3.2. What else stands there is user info with a "/", "?" or "#" in its password.
HOST = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(:[0-9]*)?")
URL = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://\S+")
MASK = "***"
# A shorter value may stand in an answer by chance, and would be masked there for nothing.
SHORTEST_ECHO = 8


def masked(url: str) -> str:
    """Return `url` without its secrets: user info, query values, tokens in the path, the fragment.

    Args:
        url: any string; one that cannot be taken apart is masked whole.

    >>> masked("wss://me:secret@venue.example:9443/ws?token=abc&v=2")
    'wss://***@venue.example:9443/ws?token=***&v=***'
    >>> masked("wss://venue.example/ws/" + "a1" * 32)
    'wss://venue.example/ws/***'
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return MASK
    if not parts.netloc:
        return MASK if "@" in url or "?" in url or "#" in url else TOKEN.sub(MASK, url)
    user_info, _, host = parts.netloc.rpartition("@")
    if not HOST.fullmatch(host):
        return MASK
    return urlunsplit(
        SplitResult(
            parts.scheme,
            f"{MASK}@{host}" if user_info else host,
            TOKEN.sub(MASK, parts.path),
            _masked_query(parts.query),
            "",
        )
    )


def masked_text(text: str) -> str:
    """Return `text` with every URL in it masked.

    >>> masked_text("http://me:secret@proxy.example isn't a valid proxy")
    "http://***@proxy.example isn't a valid proxy"
    """
    return URL.sub(lambda found: masked(found[0]), text)


def masked_echo(text: bytes, url: str) -> bytes:
    """Return `text` with the secrets of `url` masked where it repeats them; values shorter than 8 characters stay.

    >>> masked_echo(b"Cannot GET /ws/" + b"a1" * 32, "wss://venue.example/ws/" + "a1" * 32)
    b'Cannot GET /ws/***'
    """
    return masked_values(text, _secrets(url))


def masked_values(text: bytes, secrets: Iterable[str]) -> bytes:
    """Return `text` with `secrets` masked, of 8 characters and more.

    >>> masked_values(b"bad key SuperSecretKey", ["SuperSecretKey"])
    b'bad key ***'
    """
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= SHORTEST_ECHO:
            text = text.replace(secret.encode(), MASK.encode())
    return text


def _secrets(url: str) -> Iterator[str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return
    user_info = parts.netloc.rpartition("@")[0]
    values = [pair.partition("=")[2] or pair for pair in parts.query.split("&")]
    for secret in [*user_info.split(":"), *TOKEN.findall(parts.path), *values, parts.fragment]:
        yield secret
        yield unquote(secret)


def _masked_query(query: str) -> str:
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    return "&".join(f"{name}={MASK}" if equals else MASK for name, equals, _ in pairs)
