"""A venue over the scripted transport in virtual time, and what was said and told of its topics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec
from reactivex.testing import TestScheduler

from rxws import Backoff, venue_observable
from rxws.events import Rejected, TopicChanged
from rxws.exchanges import binance
from rxws.testing import Attempt, ScriptedTransport
from tests.scripted import Played

BTC, ETH, BNB = (binance.quotes(symbol) for symbol in ("BTCUSDT", "ETHUSDT", "BNBUSDT"))

Message: TypeAlias = tuple[float, str]


def ack(number: int = 1) -> str:
    """Return Binance's answer to a request."""
    return f'{{"result":null,"id":{number}}}'


def refusal(number: int = 1, code: int = 2) -> str:
    """Return an error of Binance about a request."""
    return f'{{"error":{{"code":{code},"msg":"invalid stream"}},"id":{number}}}'


def quote(topic: str, number: int) -> str:
    """Return a message of a topic, with its number."""
    symbol = topic.partition("@")[0].upper()
    return f'{{"stream":"{topic}","data":{{"u":{number},"s":"{symbol}","b":"1","B":"2","a":"3","A":"4"}}}}'


def quotes(topic: str, *seconds: float) -> list[Message]:
    """Return messages of a topic, numbered by their time in tenths of a second."""
    return [(second, quote(topic, round(10 * second))) for second in seconds]


class Talked(Played):
    """What a subscription to a venue has brought, and said."""

    @property
    def numbers(self) -> list[tuple[str, int]]:
        """Symbols and numbers of what came."""
        return [(value.symbol, value.sequence) for _, value in self.values]

    @property
    def topics(self) -> list[tuple[str, str]]:
        """What was told of topics: topic and status, those refused among them."""
        return [
            (event.topic, event.status.value if isinstance(event, TopicChanged) else "rejected")
            for event in self.events
            if isinstance(event, TopicChanged | Rejected)
        ]

    def said(self, dial: int = 0) -> list[tuple[str, list[str]]]:
        """What was asked on one connection: the method and its topics."""
        sent = [msgspec.json.decode(text) for text in self.transport.dials[dial].sent]
        return [(request["method"], request["params"]) for request in sent]


def talk(
    *attempts: Attempt | Callable[[float], Attempt],
    topics: Any = (BTC,),
    venue: Any = binance,
    virtual: TestScheduler | None = None,
    **options: Any,
) -> Talked:
    """Subscribe to topics of a venue at time 0, over these attempts; `options` are those of `venue_observable`."""
    talked = Talked(virtual or TestScheduler(), options.pop("transport", None) or ScriptedTransport(*attempts))
    given = {
        "transport": talked.transport,
        "stats": talked.stats,
        "events": talked.events.append,
        "random": lambda: 0.0,
        "retry": Backoff.fixed(2.0),
        "ping_interval": None,
        "idle_timeout": None,
        **options,
    }
    talked.subscribe(venue_observable(venue, topics, **given))
    return talked


def until(*messages: Message, lost: Any = None) -> Attempt:
    """Return an attempt that brings these in order of their time."""
    return Attempt(messages=sorted(messages), lost=lost)
