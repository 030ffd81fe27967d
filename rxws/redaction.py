"""What may be shown of a URL: everything but its secrets."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit, urlunsplit

__all__ = ["masked"]

# Binance's listen keys are 64 letters and digits in the path; stream names hold "@" and are left alone.
TOKEN = re.compile(r"(?<![^/])[A-Za-z0-9_\-=.]{24,}(?![^/])")
MASK = "***"


def masked(url: str) -> str:
    """Return `url` without its secrets: user info, query values, tokens in the path, the fragment.

    Args:
        url: any string; one that is no URL at all is masked whole.

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
        return MASK if parts.query or "@" in url else TOKEN.sub(MASK, url)
    return urlunsplit(
        SplitResult(
            parts.scheme,
            _masked_host(parts.netloc),
            TOKEN.sub(MASK, parts.path),
            _masked_query(parts.query),
            "",
        )
    )


def _masked_host(netloc: str) -> str:
    user_info, at, host = netloc.rpartition("@")
    return f"{MASK}@{host}" if at and user_info else host


def _masked_query(query: str) -> str:
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    return "&".join(f"{name}={MASK}" if equals else MASK for name, equals, _ in pairs)
