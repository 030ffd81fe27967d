"""What may be shown of a URL, and of a text that somebody else wrote: everything but secrets and control characters.

Every pattern here is read once from left to right: none begins again within what it has passed, for the texts come from
the network, and their length is the sender's choice.
"""

from __future__ import annotations

import html
import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from urllib.parse import SplitResult, quote, quote_plus, unquote, unquote_plus, urlsplit, urlunsplit

__all__ = ["escaped", "masked", "masked_echo", "masked_text", "masked_values", "secrets_of"]

# Binance's listen keys are 64 letters and digits in the path. Stream names hold "@" and are left alone, up to a length
# that none of them has.
TOKEN = re.compile(
    r"(?<![^/;,:!$&'()*])[A-Za-z0-9_\-=.%+~]{24,}(?![^/;,:!$&'()*])"
    r"|(?<![A-Za-z0-9_\-=.%+~])[A-Za-z0-9_\-=.%+~]{40,}"
)
# A host and a port, RFC 3986 section 3.2. What else stands there is user info with a "/", "?" or "#" in its password.
HOST = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(:[0-9]*)?")
URL = re.compile(r"(?<![A-Za-z0-9+.\-])[A-Za-z0-9+.\-]*://\S+")
# A URL within the path of another, as where two stand in a list.
INNER_USER_INFO = re.compile(r"//[^/]*@")
MASK = "***"
LONGEST_TOLD = 240
"""Characters of somebody else's words that are shown."""
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
            TOKEN.sub(MASK, INNER_USER_INFO.sub(f"//{MASK}@", parts.path)),
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


def escaped(text: str, most: int = LONGEST_TOLD) -> str:
    """Return `text` on one line of `most` characters at most, with nothing in it that would steer a terminal.

    What cannot be printed (control characters, escape sequences, marks that turn the direction of writing) stands there
    as Python writes it in a string.

    >>> print(escaped("gone\\n\\x1b[2J\\u202e"))
    gone\\n\\x1b[2J\\u202e
    """
    if len(text) <= most and text.isprintable():
        return text
    line = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text[: most + 1])
    return line if len(line) <= most else f"{line[: most - 1]}…"


def masked_echo(text: bytes, url: str) -> bytes:
    """Return `text` with the secrets of `url` masked where it repeats them; values shorter than 8 characters stay.

    >>> masked_echo(b"Cannot GET /ws/" + b"a1" * 32, "wss://venue.example/ws/" + "a1" * 32)
    b'Cannot GET /ws/***'
    """
    return masked_values(text, secrets_of(url))


def masked_values(text: bytes, secrets: Iterable[str]) -> bytes:
    """Return `text` with `secrets` masked, of 8 characters and more: as they are, encoded, or cut off by its end.

    >>> masked_values(b"bad key SuperSecretKey, bad key SuperSec", ["SuperSecretKey"])
    b'bad key ***, bad key ***'
    """
    written = {each.encode("utf-8", "replace") for secret in secrets for each in _written(secret)}
    words = sorted((word for word in written if len(word) >= SHORTEST_ECHO), key=len, reverse=True)
    for word in words:
        text = text.replace(word, MASK.encode())
    for word in words:
        for length in range(min(len(word) - 1, len(text)), SHORTEST_ECHO - 1, -1):
            if text.endswith(word[:length]):
                return text[:-length] + MASK.encode()
    return text


def secrets_of(url: str) -> Iterator[str]:
    """Return what `masked` would not show of `url`, and how its user info goes over the wire (RFC 7617).

    >>> list(secrets_of("wss://me:hunter2@venue.example/?token=abc"))
    ['me', 'hunter2', 'bWU6aHVudGVyMg==', 'abc']
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = SplitResult("", url.partition("//")[2], "", "", "")
    user_info = parts.netloc.rpartition("@")[0]
    if user_info:
        yield from user_info.split(":")
        yield b64encode(unquote(user_info).encode("utf-8", "replace")).decode()
    yield from (found[0] for found in TOKEN.finditer(parts.path))
    for pair in parts.query.split("&"):
        value = pair.partition("=")[2]
        yield value if value.strip("=") else pair
    if parts.fragment:
        yield parts.fragment


def _written(secret: str) -> set[str]:
    plain = {secret, unquote(secret), unquote_plus(secret)}
    encoded = {by(each, safe, errors="replace") for each in plain for by in (quote, quote_plus) for safe in ("", "/")}
    lower = {re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), each) for each in encoded}
    json_strings = {json.dumps(each)[1:-1] for each in plain}
    slashes = {each.replace("/", "\\/") for each in json_strings}
    return plain | encoded | lower | json_strings | slashes | {html.escape(each) for each in plain}


def _masked_query(query: str) -> str:
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    return "&".join(f"{_masked_name(name, value)}={MASK}" if equals else MASK for name, equals, value in pairs)


def _masked_name(name: str, value: str) -> str:
    # A token alone, which ends in "=" as base64 does, looks like a name without a value.
    alone = not value.strip("=") and len(name) >= SHORTEST_ECHO
    return MASK if alone or TOKEN.search(name) else name
