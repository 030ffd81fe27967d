"""What is asked for, as any venue sees it: symbols that can be, and requests that are not too large."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from rxws.errors import ConfigError
from rxws.venue import Action, Request, Rules

__all__ = ["address", "batches", "channel_and_symbol", "check_symbol", "one_endpoint", "split_pair"]

# What separates the parts of a topic, or would break out of a URL or of JSON, is in no symbol.
SYMBOL = re.compile(r"[^\s@/:,.?#&%\"'\\{}\[\]]+")


def check_symbol(symbol: object, example: str, pattern: re.Pattern[str] = SYMBOL) -> str:
    """Return `symbol`, where it can be one.

    Raises:
        ConfigError: it cannot.

    >>> check_symbol("BTC/USDT", "BTCUSDT")
    Traceback (most recent call last):
    rxws.errors.ConfigError: symbol: 'BTC/USDT' is no symbol of this venue; take one as it writes it, like 'BTCUSDT'
    """
    if not isinstance(symbol, str) or not pattern.fullmatch(symbol):
        right = f"take one as it writes it, like {example!r}"
        raise ConfigError("symbol", f"{symbol!r} is no symbol of this venue; {right}")
    return symbol


def split_pair(common: object) -> tuple[str, str, str]:
    """Return base, quote and settlement of a symbol in the common form; the settlement is empty where it is spot.

    Raises:
        ConfigError: it is not in that form.

    >>> split_pair("BTC/USDT"), split_pair("BTC/USDT:USDT")
    (('BTC', 'USDT', ''), ('BTC', 'USDT', 'USDT'))
    """
    found = re.fullmatch(r"([^\s/:]+)/([^\s/:]+)(?::([^\s/:]+))?", common) if isinstance(common, str) else None
    if found is None:
        raise ConfigError("symbol", f"{common!r} is not in the common form; take 'BTC/USDT', or 'BTC/USDT:USDT'")
    return found[1], found[2], found[3] or ""


def channel_and_symbol(topic: str, example: str) -> tuple[str, str]:
    """Return what a topic of the form "channel:symbol" consists of.

    Raises:
        ConfigError: it is not of that form.

    >>> channel_and_symbol("books:BTC-USDT", "books:BTC-USDT")
    ('books', 'BTC-USDT')
    """
    channel, _, symbol = topic.partition(":")
    if not channel or not symbol:
        raise ConfigError("topic", f"{topic!r} is none of this venue; take a channel and a symbol, like {example!r}")
    return channel, symbol


def address(base: str, endpoints: Mapping[str, str], endpoint: str) -> str:
    """Return the URL of one of a venue's `endpoints`.

    Raises:
        ConfigError: it is none of them.

    >>> address("wss://venue.example/", {"public": "/ws"}, "public")
    'wss://venue.example/ws'
    """
    if endpoint not in endpoints:
        raise ConfigError("endpoint", f"{endpoint!r} is none of this venue; take one of {', '.join(endpoints)}")
    return base.removesuffix("/") + endpoints[endpoint]


def one_endpoint(topics: Sequence[str], endpoint: Callable[[str], str]) -> str:
    """Return the class of endpoint that all `topics` have.

    Raises:
        ConfigError: there are several, or no topics.
    """
    classes = sorted({endpoint(topic) for topic in topics})
    if len(classes) != 1:
        what = f"those of {' and '.join(classes)} are had at different URLs" if classes else "there are none"
        raise ConfigError("topics", f"{what}; take one or more of one endpoint, and a connection for each endpoint")
    return classes[0]


def batches(
    action: Action,
    topics: Iterable[str],
    ids: Iterator[int],
    rules: Rules,
    endpoint: Callable[[str], str],
    payload: Callable[[Action, Sequence[str], int], str],
) -> list[Request]:
    """Return the requests for `topics`, none with more of them, or longer, than the venue takes.

    Args:
        action: what is asked.
        topics: each is asked for once, in the order of its first mention.
        ids: what the requests are numbered from.
        rules: the venue's.
        endpoint: the venue's too.
        payload: makes the text of one request.

    Raises:
        ConfigError: no one connection carries them all.
    """
    requests: list[Request] = []
    wanted = list(dict.fromkeys(topics))
    if wanted:
        one_endpoint(wanted, endpoint)
    while wanted:
        number = next(ids)
        count = min(len(wanted), rules.batch)
        text = payload(action, wanted[:count], number)
        while rules.batch_bytes is not None and len(text.encode()) > rules.batch_bytes and count > 1:
            count = max(1, count // 2)
            text = payload(action, wanted[:count], number)
        requests.append(Request(number, action, tuple(wanted[:count]), text))
        del wanted[:count]
    return requests
