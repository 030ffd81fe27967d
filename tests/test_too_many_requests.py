"""Venues that count what an address asks for: all its connections together keep the limit, and a refusal is a pause."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from reactivex.testing import TestScheduler

from rxws import feeds, venue_observable
from rxws.correspondence import LONG, Correspondence
from rxws.desired import Topics
from rxws.events import Event, Rejected, TopicChanged, TopicStatus
from rxws.exchanges import coinbase_exchange, deribit, okx
from rxws.governor import Governor
from rxws.market import BookSnapshot
from rxws.testing import Limits, SimulatedExchange
from rxws.venue import Kind, Request
from tests.leaping import leaping

LIVE = TopicStatus.LIVE
SYMBOLS = {
    deribit: [f"{name}-PERPETUAL" for name in ("BTC", "ETH", "SOL", "ADA")],
    okx: [f"{name}-USDT" for name in ("BTC", "ETH", "SOL", "ADA")],
    coinbase_exchange: [f"{name}-USD" for name in ("BTC", "ETH", "SOL", "ADA")],
}
# As if others used the address too, or the connection did what its limiter does not know of.
FEWER = {
    deribit: replace(Limits.of("deribit"), subscribe_credits=3_000.0, credits=600.0),
    okx: replace(Limits.of("okx"), requests=1, requests_per=0.7),
    coinbase_exchange: replace(Limits.of("coinbase_exchange"), requests=1, burst=1),
}
BUSY = pytest.mark.parametrize("venue", FEWER, ids=lambda venue: venue.NAME)


async def until(condition: Callable[[], object]) -> None:
    """Wait until that is so, two minutes of the loop's time at most."""
    async with asyncio.timeout(120.0):
        while not condition():
            await asyncio.sleep(0.25)


async def tell(exchange: SimulatedExchange, *topics: str) -> None:
    """Let a message of each topic happen, and be read."""
    for topic in topics:
        exchange._venue.produce(1, among=(topic,))
    await asyncio.sleep(0.01)


# All connections together


@pytest.mark.parametrize("is_shared", [False, True], ids=["a connection each", "shared"])
@pytest.mark.parametrize(("name", "count"), [("deribit", 24), ("coinbase_exchange", 60)])
@leaping
async def test_an_address_asks_no_more_than_it_may(name: str, count: int, is_shared: bool) -> None:
    """However many connections it has; also when all of them are lost at once."""
    symbols = [f"A{number}-PERPETUAL" if name == "deribit" else f"A{number}-USD" for number in range(count)]
    errors: list[Exception] = []
    async with SimulatedExchange(name, symbols=symbols) as exchange:
        feed = getattr(feeds, name).configured(base=exchange.url)
        source: Any = feed.shared(topics_per_connection=1) if is_shared else feed
        brought: set[str] = set()
        readers = [
            source.quotes(symbol).subscribe(lambda quote: brought.add(quote.symbol), errors.append)
            for symbol in symbols
        ]
        for round in range(2):
            if round:
                assert exchange.reset() == count
            brought.clear()
            await until(lambda: len(brought) == count)
        assert (errors, exchange.violations) == ([], {})
        for reader in readers:
            reader.dispose()


@leaping
async def test_who_asks_for_no_limit_has_none() -> None:
    """Neither of a connection nor of the address; what Deribit refuses is asked for again behind a pause."""
    symbols = [f"A{number}-PERPETUAL" for number in range(12)]
    async with SimulatedExchange("deribit", symbols=symbols, rate=None) as exchange:
        topics = [Topics([deribit.quotes(symbol)]) for symbol in symbols]
        readers = [
            venue_observable(deribit, each, base=exchange.url, send_limit=None).subscribe(lambda _: None)
            for each in topics
        ]
        await asyncio.sleep(0.5)
        assert exchange.violations == {"credits": 2}
        exchange.violations.clear()
        await until(lambda: all(TopicStatus.REQUESTED not in each.statuses.values() for each in topics))
        assert not any(TopicStatus.REJECTED in each.statuses.values() for each in topics)
        for reader in readers:
            reader.dispose()


# One that is told so all the same


@BUSY
@leaping
async def test_what_was_asked_too_often_is_asked_again(venue: Any) -> None:
    """The topic is as good as any; nobody is told that it is refused, and what it waits for is in its event."""
    topics = [venue.quotes(symbol) for symbol in SYMBOLS[venue]]
    limits = FEWER[venue]
    async with SimulatedExchange(venue.NAME, symbols=SYMBOLS[venue], rate=20.0, limits=limits) as exchange:
        events: list[Event] = []
        errors: list[Exception] = []
        wanted = Topics(topics[:1])
        stream = venue_observable(venue, wanted, base=exchange.url, events=events.append)
        reader = stream.subscribe(lambda _: None, errors.append)
        for topic in topics[1:]:
            await asyncio.sleep(0.05)
            wanted.add(topic)
        await until(lambda: set(wanted.statuses.values()) == {LIVE})
        refused = exchange.violations.total()
        assert refused > 0
        assert not any(isinstance(event, Rejected) for event in events)
        again = [event for event in events if isinstance(event, TopicChanged) and event.why]
        assert {event.status for event in again} == {TopicStatus.REQUESTED}
        assert all("requests" in event.why.lower() for event in again)
        assert (errors, exchange.handshakes_accepted) == ([], 1)
        assert refused < 10  # they are asked again behind a pause, and not at once
        reader.dispose()


@BUSY
@leaping
async def test_what_could_not_be_ended_is_ended_later(venue: Any) -> None:
    """And what is wanted anew meanwhile is there in the end; on the wire is what is wanted."""
    topics = [venue.quotes(symbol) for symbol in SYMBOLS[venue]]
    limits = FEWER[venue]
    async with SimulatedExchange(venue.NAME, symbols=SYMBOLS[venue], rate=20.0, limits=limits) as exchange:
        wanted = Topics(topics)
        errors: list[Exception] = []
        reader = venue_observable(venue, wanted, base=exchange.url).subscribe(lambda _: None, errors.append)
        await until(lambda: set(wanted.statuses.values()) == {LIVE})
        before = exchange.violations.total()
        for topic in topics[1:]:
            wanted.discard(topic)
            await asyncio.sleep(0.02)
        wanted.add(topics[2])
        there = {topics[0], topics[2]}
        await until(lambda: set(exchange.live[0].streams) == there)
        await until(lambda: set(wanted.statuses.values()) == {LIVE})
        await asyncio.sleep(20.0)
        assert set(exchange.live[0].streams) == there
        assert exchange.violations.total() > before
        assert (errors, exchange.handshakes_accepted) == ([], 1)
        reader.dispose()


@pytest.mark.parametrize("venue", [deribit, okx], ids=lambda venue: venue.NAME)
@leaping
async def test_a_renewal_that_is_half_refused_brings_its_snapshot_all_the_same(venue: Any) -> None:
    """Where the end was refused, and the new beginning was not, nothing has begun anew: it is renewed once more."""
    topic = venue.book(SYMBOLS[venue][0])
    async with SimulatedExchange(venue.NAME, symbols=SYMBOLS[venue], rate=None, limits=Limits.off()) as exchange:
        snapshots: list[BookSnapshot] = []
        wanted = Topics([topic])

        def take(value: object) -> None:
            if isinstance(value, BookSnapshot):
                snapshots.append(value)

        reader = venue_observable(venue, wanted, base=exchange.url).subscribe(take)
        await until(lambda: wanted.status(topic) is LIVE)
        (connection,) = exchange._venue.live
        answer, refuses = connection.session.answer, True

        def once(text: bytes, *rest: Any) -> Any:
            nonlocal refuses
            if refuses and b"unsubscribe" in text:
                refuses = False
                request = json.loads(text)
                if venue is deribit:
                    return connection.session._refused(request, "public/unsubscribe", 10028, "too_many_requests", 0)
                code = {"event": "error", "id": request["id"], "code": "60014", "msg": "Requests too frequent"}
                return replace(answer(b"ping", *rest), texts=(json.dumps(code).encode(),))
            return answer(text, *rest)

        connection.session.answer = once
        wanted.renew(topic)
        await until(lambda: len(snapshots) == 2)
        assert (refuses, wanted.status(topic)) == (False, LIVE)
        reader.dispose()


# Its pauses, in virtual time


class Lines:
    """A connection on which everything leaves at once."""

    url = "wss://venue.example/ws"

    def __init__(self, virtual: TestScheduler) -> None:
        self.sent: list[tuple[float, int]] = []
        self._virtual = virtual

    def send(self, payload: str) -> None:
        self.sent.append((self._virtual.clock, json.loads(payload)["id"]))

    def when_sent(self, action: Callable[[], None], lost: Callable[[], None] | None = None) -> None:
        action()


def many(number: int) -> bytes:
    """Deribit's answer that request `number` was one too many."""
    return b'{"id":%d,"error":{"code":10028,"message":"too_many_requests"}}' % number


GOVERNED = 10, 3.5


def corresponding(
    venue: Any = deribit, governor: Governor | None = None
) -> tuple[TestScheduler, Lines, Correspondence, list[Request]]:
    """What is said on one connection, in virtual time."""
    virtual, left = TestScheduler(), list[Request]()
    lines: Any = Lines(virtual)
    governor = Governor(*GOVERNED) if governor is None else governor
    return virtual, lines, Correspondence(lines, venue, governor, left.append, lambda: None, virtual), left


def ask(correspondence: Correspondence, *topics: str) -> None:
    """Send the requests for topics."""
    for request in correspondence.asking_for(topics):
        correspondence.send(request)


def refuse(correspondence: Correspondence, number: int) -> None:
    """Answer a request so, and ask for its topics again."""
    for reply in correspondence.replies(many(number), Kind.ERROR):
        ask(correspondence, *reply.later)


def test_each_refusal_doubles_the_pause_up_to_a_minute() -> None:
    """Until none has come for a minute; and there is as much between any two, for the venue would refuse one of them
    again and again."""
    virtual, lines, correspondence, _ = corresponding()
    ask(correspondence, "quote.A")
    for number in range(1, 9):
        refuse(correspondence, number)
        assert correspondence.is_kept
        while correspondence.is_kept:
            virtual.advance_by(0.5)
    begun = [at for at, _ in lines.sent]
    assert [later - at for at, later in pairwise(begun)] == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]
    ask(correspondence, "quote.B")
    ask(correspondence, "quote.C")
    virtual.advance_by(100.0)
    ask(correspondence, "quote.D")
    refuse(correspondence, 12)
    virtual.advance_by(1.0)
    assert [at - begun[-1] for at, _ in lines.sent[9:]] == [60.0, 60.0, 100.0, 101.0]


def test_what_was_sent_before_the_first_refusal_came_makes_no_pause_longer() -> None:
    """All of it goes again behind that one pause, in its order."""
    virtual, lines, correspondence, left = corresponding()
    for name in "ABC":
        ask(correspondence, f"quote.{name}")
    for number in (1, 2, 3):
        refuse(correspondence, number)
    virtual.advance_to(0.999)
    assert [number for _, number in lines.sent] == [1, 2, 3]
    virtual.advance_to(3.0)
    assert lines.sent[3:] == [(1.0, 4), (2.0, 5), (3.0, 6)]
    assert [request.topics for request in left] == [(f"quote.{name}",) for name in "ABCABC"]


def test_the_next_waits_for_its_place_among_all() -> None:
    """Ten in any three and a half seconds, whoever asks; who has much to ask lets others in between."""
    governor = Governor(*GOVERNED)
    virtual, lines, correspondence, _ = corresponding(deribit, governor)
    others: Any = Lines(virtual)
    other = Correspondence(others, deribit, governor, lambda _: None, lambda: None, virtual)
    for number in range(15):
        ask(correspondence, f"quote.A{number}")
    ask(other, "quote.B")
    assert (len(lines.sent), len(others.sent)) == (10, 0)
    virtual.advance_to(20.0)
    assert [at for at, _ in lines.sent[10:]] == [3.5] * 5
    assert [at for at, _ in others.sent] == [3.5]


def test_who_ends_while_it_waits_gives_its_place_back(caplog: pytest.LogCaptureFixture) -> None:
    """And nothing is sent or told of it."""
    governor = Governor(*GOVERNED)
    virtual, lines, correspondence, left = corresponding(deribit, governor)
    for number in range(12):
        ask(correspondence, f"quote.A{number}")
    others: Any = Lines(virtual)
    other = Correspondence(others, deribit, governor, lambda _: None, lambda: None, virtual)
    correspondence.dispose()
    for number in range(10):
        ask(other, f"quote.B{number}")
    virtual.advance_to(LONG + 20.0)
    assert (len(lines.sent), len(left), len(correspondence)) == (10, 10, 10)
    assert [at for at, _ in others.sent] == [3.5] * 10
    assert not caplog.records


def test_a_topic_that_is_about_to_be_ended_is_known_while_that_waits() -> None:
    """What comes of it meanwhile proves nothing of the subscription that follows."""
    virtual, _, correspondence, _ = corresponding()
    for number in range(10):
        ask(correspondence, f"quote.A{number}")
    correspondence.end(["quote.A0"])
    assert correspondence.is_kept
    assert correspondence.is_ending("quote.A0")
    assert not correspondence.is_ending("quote.A1")
    virtual.advance_to(4.0)
    assert correspondence.is_ending("quote.A0")
    assert len(list(correspondence.replies(b'{"id":11,"result":["quote.A0"]}', Kind.ACKNOWLEDGEMENT))) == 1
    assert not correspondence.is_ending("quote.A0")


def test_where_a_venue_counts_none_only_its_refusals_make_a_pause(caplog: pytest.LogCaptureFixture) -> None:
    """That of one connection is none of another's; a long one is in the log."""
    caplog.set_level(logging.WARNING, "rxws")
    virtual, lines, correspondence, _ = corresponding(okx, Governor())
    others: Any = Lines(virtual)
    other = Correspondence(others, okx, Governor(), lambda _: None, lambda: None, virtual)
    for number in range(100):
        ask(correspondence, f"trades:A{number}-USDT")
    assert len(lines.sent) == 100
    for number in (100, 101, 102, 103, 104):
        text = json.dumps({"event": "error", "id": f"{number}", "code": "60014", "msg": "often"}).encode()
        for reply in correspondence.replies(text, Kind.ERROR):
            ask(correspondence, *reply.later)
        virtual.advance_by(16.0)
    ask(other, "trades:B-USDT")
    assert [at for at, _ in lines.sent[100:]] == [1.0, 18.0, 36.0, 56.0, 80.0]
    assert [at for at, _ in others.sent] == [80.0]
    assert [record.message for record in caplog.records] == [
        "wss://venue.example/ws: 1 requests have waited for 15 s, for no more may be sent as yet; "
        "their topics stay as they are"
    ]
