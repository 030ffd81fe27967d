"""What a dial knows and nobody may read, and the words of others (library, system, server) without it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import cast
from urllib.request import getproxies

from websockets.datastructures import Headers
from websockets.exceptions import InvalidProxy, InvalidProxyStatus, InvalidStatus, InvalidURI
from websockets.http11 import Response

from rxws.redaction import escaped, masked, masked_text, masked_values, secrets_of
from rxws.transport.protocol import Dial

__all__ = ["Secrets"]

# Of what a server answers with, so much is looked at.
LONGEST_BODY = 4096
# What stands between the words of a header: `Token key="…"`, `session=…; id=…`.
BETWEEN = re.compile(r"[\s;,=\"]+")
# Python's own words about a URL hold pieces of it between quotation marks.
QUOTED = re.compile(r"'[^']*'")
# A subprotocol of this length is a token: some venues take one there.
LONG_NAME = 24


class Secrets:
    """The secrets of one dial: those of its URL, of its headers, of its proxy, and tokens among the subprotocols.

    Args:
        dial: what was asked for.
        redirects: URLs that it was led to.
    """

    def __init__(self, dial: Dial, redirects: Iterable[str] = ()) -> None:
        self._words = frozenset(_words(dial, redirects))

    def masked(self, text: bytes) -> bytes:
        """Return the beginning of `text` with the secrets masked where it repeats them."""
        return masked_values(text[:LONGEST_BODY], self._words)

    def told(self, text: str) -> str:
        """Return `text` as it may be shown: on one line, with the secrets masked, and those of every URL in it."""
        return escaped(masked_text(self.masked(text.encode("utf-8", "replace")).decode("utf-8", "replace")))

    def cleanse(self, error: BaseException) -> None:
        """Change the words of `error`, and of all that it was raised from, which a traceback shows too."""
        seen: list[BaseException] = []
        waiting: list[BaseException | None] = [error]
        while waiting:
            each = waiting.pop()
            if each is not None and each not in seen:
                seen.append(each)
                waiting += [each.__cause__, each.__context__]
                self._cleanse(each)

    def _cleanse(self, error: BaseException) -> None:
        # The most of websockets' errors keep their words in attributes and make the text of them when it is asked for.
        for name, value in vars(error).items():
            if isinstance(value, str):
                setattr(error, name, self.told(value))
        error.args = tuple(self.told(word) if isinstance(word, str) else word for word in error.args)
        if isinstance(error, OSError) and error.strerror:
            error.strerror = self.told(error.strerror)
        elif isinstance(error, InvalidURI):
            error.uri = masked(error.uri)
            error.args = (error.uri, error.msg)
        elif isinstance(error, InvalidProxy):
            error.proxy = masked(error.proxy)
            error.args = (error.proxy, error.msg)
        elif isinstance(error, InvalidStatus | InvalidProxyStatus):
            # Without its headers: among them are cookies.
            answer = error.response
            phrase, body = self.told(answer.reason_phrase), self.masked(bytes(answer.body))
            error.response = Response(answer.status_code, phrase, Headers(), body)
            error.args = (error.response,)
        elif isinstance(error, UnicodeDecodeError):
            error.object = b""
            error.args = (error.encoding, b"", error.start, error.end, error.reason)
        elif type(error) is ValueError:
            error.args = (QUOTED.sub("'***'", str(error)),)


def _words(dial: Dial, redirects: Iterable[str]) -> Iterator[str]:
    for url in (dial.url, *redirects, *_proxies(dial.options.get("proxy", True))):
        yield from secrets_of(url)
    for value in dial.headers.values():
        yield from (value, *value.split(), *BETWEEN.split(value))
    names = cast(Iterable[str], dial.options.get("subprotocols") or ())
    yield from (name for name in names if len(name) >= LONG_NAME)


def _proxies(proxy: object) -> Iterable[str]:
    if proxy is True:
        return getproxies().values()
    return [proxy] if isinstance(proxy, str) else []
