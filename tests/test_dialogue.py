"""What is said with the five venues, against a server that speaks as they do, in the loop's own time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from rxws import Backoff, Stats, venue_observable
from rxws.desired import Topics
from rxws.dialogue import Dialogue
from rxws.errors import SubscriptionRejected, SubscriptionTimeout
from rxws.events import Event, Rejected, Rotated, TopicChanged, TopicStatus
from rxws.exchanges import binance, binance_usdm, coinbase_exchange, deribit, okx
from rxws.market import BookSnapshot, MarketEvent
from rxws.testing import Leftovers, Limits, SimulatedExchange
from tests.leaping import LeapingLoop, leaping

SYMBOLS = {
    binance: ("BTCUSDT", "ETHUSDT", "FAKEUSDT"),
    binance_usdm: ("BTCUSDT", "ETHUSDT", "FAKEUSDT"),
    deribit: ("BTC-PERPETUAL", "ETH-PERPETUAL", "FAKE-PERPETUAL"),
    okx: ("BTC-USDT", "ETH-USDT", "FAKE-USDT"),
    coinbase_exchange: ("BTC-USD", "ETH-USD", "FAKE-USD"),
}
LIVE, ACKNOWLEDGED = TopicStatus.LIVE, TopicStatus.ACKNOWLEDGED

venues = pytest.mark.parametrize("venue", SYMBOLS, ids=lambda venue: venue.NAME)


def topics_of(venue: Any) -> list[str]:
    """Return three topics: two that there are, and one that the venue does not have."""
    return [venue.trades(symbol) for symbol in SYMBOLS[venue]]


def exchange_of(venue: Any, limits: Limits | None = None, **options: Any) -> SimulatedExchange:
    """Return the simulated venue, master of every message, and without limits where none are given."""
    return SimulatedExchange(venue.NAME, limits=limits or Limits.off(), **{"rate": None, **options})


class Listener:
    """A subscription to topics of a simulated venue, and all that it brought."""

    def __init__(self, venue: Any, exchange: SimulatedExchange, topics: Any, **options: Any) -> None:
        self.values: list[MarketEvent] = []
        self.events: list[Event] = []
        self.error: Exception | None = None
        self.stats = Stats()
        self.topics = topics if isinstance(topics, Topics) else Topics(topics)
        given = {
            "base": exchange.url,
            "events": self.events.append,
            "stats": self.stats,
            "retry": Backoff.fixed(1.0),
            "idle_timeout": None,
        }
        stream = venue_observable(venue, self.topics, **{**given, **options})
        self.subscription = stream.subscribe(self.values.append, lambda error: setattr(self, "error", error))

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until that is so, two minutes of the loop's time at most."""
        async with asyncio.timeout(120.0):
            while not condition():
                await asyncio.sleep(0.25)

    async def until_all(self, *statuses: TopicStatus) -> None:
        await self.until(lambda: all(status in statuses for status in self.topics.statuses.values()))

    def of(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def steps(self, topic: str) -> list[str]:
        """What was told of a topic."""
        told = [event for event in self.of(TopicChanged) + self.of(Rejected) if event.topic == topic]
        told.sort(key=self.events.index)
        return [event.status.value if isinstance(event, TopicChanged) else "rejected" for event in told]


async def tell(exchange: SimulatedExchange, topics: list[str], times: int = 1) -> None:
    """Let a message of each topic happen, so many times, and be read."""
    for _ in range(times):
        for topic in topics:
            exchange._venue.produce(1, among=(topic,))
        await asyncio.sleep(0.01)


# From asked to live


@venues
@leaping
async def test_topics_are_asked_for_acknowledged_and_live(venue: Any) -> None:
    """And everything that happens from then on is handed on."""
    topics = topics_of(venue)[:2]
    async with exchange_of(venue) as exchange:
        listener = Listener(venue, exchange, topics)
        await listener.until_all(ACKNOWLEDGED, LIVE)
        assert set(exchange.live[0].streams) == set(topics)
        await tell(exchange, topics, 5)
        assert listener.topics.statuses == dict.fromkeys(topics, LIVE)
        assert [listener.steps(topic) for topic in topics] == [["requested", "acknowledged", "live"]] * 2
        assert {value.symbol for value in listener.values} == set(SYMBOLS[venue][:2])
        assert len(listener.values) >= 10
        assert listener.stats.bad_frames == 0
        listener.subscription.dispose()


@venues
@leaping
async def test_data_that_comes_before_the_acknowledgement_is_not_lost(venue: Any) -> None:
    """However late that is, and it says nothing new then."""
    topics = topics_of(venue)[:1]
    async with exchange_of(venue) as exchange:
        exchange.acks("held", times=2)  # Deribit answers its greeting first
        listener = Listener(venue, exchange, topics)
        await exchange.until(lambda: exchange.live and exchange.live[0].streams)
        await tell(exchange, topics, 3)
        assert listener.topics.status(topics[0]) is LIVE
        exchange.release_acks()
        await asyncio.sleep(100.0)
        await tell(exchange, topics, 1)
        assert listener.steps(topics[0]) == ["requested", "live"]
        assert exchange.live[0].messages <= len(listener.values)
        assert listener.stats.bad_frames == 0
        listener.subscription.dispose()


@venues
@leaping
async def test_an_acknowledgement_behind_the_first_data_changes_nothing(venue: Any) -> None:
    """Some venues send it so."""
    topics = topics_of(venue)[:1]
    async with exchange_of(venue) as exchange:
        exchange.acks("after_data", times=3)
        listener = Listener(venue, exchange, topics)
        await exchange.until(lambda: exchange.live and exchange.live[0].streams)
        await tell(exchange, topics, 2)
        await asyncio.sleep(100.0)
        assert listener.steps(topics[0]) == ["requested", "live"]
        listener.subscription.dispose()


@pytest.mark.parametrize("venue", [binance, binance_usdm, deribit, okx], ids=lambda venue: venue.NAME)
@leaping
async def test_an_answer_that_never_comes_is_told_and_data_may_still_come(venue: Any) -> None:
    """After `ack_timeout`."""
    topics = topics_of(venue)[:1]
    async with exchange_of(venue) as exchange:
        exchange.acks("silent", times=9)
        listener = Listener(venue, exchange, topics, ack_timeout=10.0)
        await listener.until(lambda: listener.topics.status(topics[0]) is TopicStatus.TIMED_OUT)
        (late,) = [event for event in listener.of(TopicChanged) if event.status is TopicStatus.TIMED_OUT]
        assert (late.why, late.after) == ("acknowledgement", pytest.approx(10.0, abs=0.1))
        await tell(exchange, topics)
        assert listener.topics.status(topics[0]) is LIVE
        listener.subscription.dispose()


@venues
@leaping
async def test_an_error_of_nothing_before_the_answer_costs_no_topic_its_data(venue: Any) -> None:
    """It says not what is wrong: where it may be a refusal, all is asked for again."""
    topics = topics_of(venue)[:2]
    async with exchange_of(venue) as exchange:
        exchange.acks("after_error", times=2)
        listener = Listener(venue, exchange, topics, on_rejected="tell")
        await exchange.until(lambda: exchange.live and len(exchange.live[0].streams) == 2)
        await asyncio.sleep(5.0)
        await tell(exchange, topics, 2)
        assert listener.topics.statuses == dict.fromkeys(topics, LIVE)
        listener.subscription.dispose()


@leaping
async def test_a_busy_loop_makes_nothing_late_that_has_arrived() -> None:
    """The timer fires before the socket is read, and the answer and the data have long been there."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, LeapingLoop)
    (topic,) = topics_of(binance)[:1]
    async with exchange_of(binance) as exchange:
        exchange.acks("held")
        listener = Listener(binance, exchange, [topic], ack_timeout=10.0, first_data_timeout=60.0, ping_interval=None)
        await exchange.until(lambda: exchange.live and exchange.live[0].streams)
        exchange.release_acks()
        loop.leap(100.0)
        await asyncio.sleep(0.01)
        assert listener.steps(topic) == ["requested", "acknowledged"]
        exchange.oversized(2**20)  # the first read does not reach what is behind it
        exchange.burst(1)
        loop.leap(100.0)
        await asyncio.sleep(0.01)
        assert listener.steps(topic) == ["requested", "acknowledged", "live"]
        listener.subscription.dispose()


@leaping
async def test_while_nothing_is_read_nothing_is_late() -> None:
    """A paused connection has its time given back."""
    (topic,) = topics_of(binance)[:1]
    opened: list[Any] = []

    async def on_open(connection: Any) -> None:
        opened.append(connection)

    async with exchange_of(binance) as exchange:
        exchange.acks("held")
        listener = Listener(binance, exchange, [topic], ack_timeout=10.0, on_open=on_open)
        await exchange.until(lambda: exchange.live and exchange.live[0].streams)
        opened[0].pause()
        exchange.release_acks()
        await asyncio.sleep(35.0)
        assert listener.steps(topic) == ["requested"]
        opened[0].resume()
        await asyncio.sleep(1.0)
        assert listener.steps(topic) == ["requested", "acknowledged"]
        listener.subscription.dispose()


# What a venue does not have


@pytest.mark.parametrize("venue", [binance, binance_usdm], ids=lambda venue: venue.NAME)
@leaping
async def test_binance_accepts_what_it_does_not_have_and_the_first_data_tells(venue: Any) -> None:
    """The only topic that is not live a minute later."""
    topics = topics_of(venue)
    async with exchange_of(venue) as exchange:
        listener = Listener(venue, exchange, topics)
        await listener.until_all(ACKNOWLEDGED, LIVE)
        await tell(exchange, topics[:2])
        await listener.until(lambda: listener.steps(topics[2])[-1] == "timed out")
        assert listener.of(TopicChanged)[-1].why == "first data"
        assert listener.topics.statuses == {**dict.fromkeys(topics[:2], LIVE), topics[2]: TopicStatus.TIMED_OUT}
        listener.subscription.dispose()
        raising = Listener(venue, exchange, topics[2:], on_silent="raise")
        await raising.until(lambda: raising.error is not None)
        assert isinstance(raising.error, SubscriptionTimeout)


@leaping
async def test_coinbases_answer_of_before_confirms_nothing_that_is_being_changed() -> None:
    """It lists all that is subscribed; and what was refused only for its company is asked for again."""
    first, second, fake = topics_of(coinbase_exchange)
    async with exchange_of(coinbase_exchange) as exchange:
        listener = Listener(coinbase_exchange, exchange, [first], on_rejected="tell")
        await listener.until(lambda: exchange.live and exchange.live[-1].streams)
        await asyncio.sleep(1.0)
        listener.topics.add(second)
        await asyncio.sleep(0)  # before that is answered
        listener.topics.renew(first)
        listener.topics.add(fake)
        await listener.until(lambda: any(isinstance(event, Rejected) for event in listener.events))
        await asyncio.sleep(5.0)
        assert set(exchange.live[-1].streams) == {first, second}
        listener.topics.discard(fake)
        listener.subscription.dispose()


@pytest.mark.parametrize("venue", [deribit, okx, coinbase_exchange], ids=lambda venue: venue.NAME)
@leaping
async def test_the_others_refuse_it_and_the_good_ones_are_live(venue: Any) -> None:
    """Whichever way they say so: left out, by name, or by an error of the whole request."""
    topics = topics_of(venue)
    bad = topics.pop()
    async with exchange_of(venue) as exchange:
        listener = Listener(venue, exchange, [topics[0], bad, topics[1]], on_rejected="tell")
        await listener.until_all(ACKNOWLEDGED, TopicStatus.REJECTED, LIVE)
        await tell(exchange, topics)
        assert listener.topics.statuses == {topics[0]: LIVE, bad: TopicStatus.REJECTED, topics[1]: LIVE}
        (rejected,) = listener.of(Rejected)
        assert rejected.topic == bad
        assert rejected.reply
        assert set(exchange.live[0].streams) == set(topics)
        listener.topics.discard(bad, topics[0])
        await exchange.until(lambda: exchange.live[0].streams == (topics[1],))
        assert listener.stats.bad_frames == 0
        listener.subscription.dispose()


@pytest.mark.parametrize("venue", [deribit, okx, coinbase_exchange], ids=lambda venue: venue.NAME)
@leaping
async def test_a_refusal_is_the_streams_error_by_default(venue: Any) -> None:
    """It names the topic, and nothing of the connection is left."""
    topics = topics_of(venue)
    async with exchange_of(venue) as exchange:
        with Leftovers() as leftovers:
            listener = leftovers.as_client(Listener, venue, exchange, topics)
            await listener.until(lambda: listener.error is not None)
            assert isinstance(listener.error, SubscriptionRejected)
            assert listener.error.topic == topics[2]
            assert await leftovers.after_a_while() == []
        assert exchange.handshakes_accepted == 1


@leaping
async def test_one_raw_channel_of_deribit_costs_the_others_nothing() -> None:
    """It needs a login, and the whole request fails with it."""
    good, raw = deribit.trades("BTC-PERPETUAL"), "trades.ETH-PERPETUAL.raw"
    async with exchange_of(deribit) as exchange:
        listener = Listener(deribit, exchange, [good, raw], on_rejected="tell")
        await listener.until_all(ACKNOWLEDGED, LIVE, TopicStatus.REJECTED)
        assert listener.topics.statuses == {good: ACKNOWLEDGED, raw: TopicStatus.REJECTED}
        listener.subscription.dispose()


# Changes


@venues
@leaping
async def test_what_is_wanted_is_what_the_venue_has(venue: Any) -> None:
    """Through additions, removals, replacements, and a reset in the middle."""
    first, second, _ = topics_of(venue)
    async with exchange_of(venue) as exchange:
        listener = Listener(venue, exchange, [first])

        async def agree() -> None:
            await listener.until(lambda: exchange.live and set(exchange.live[-1].streams) == set(listener.topics))

        await agree()
        listener.topics.add(second)
        await agree()
        listener.topics.discard(first)
        await agree()
        listener.topics.replace([first])
        await agree()
        assert exchange.reset() == 1
        listener.topics.add(second)
        await agree()
        await listener.until_all(ACKNOWLEDGED, LIVE)
        await tell(exchange, [first, second])
        assert listener.topics.statuses == dict.fromkeys([first, second], LIVE)
        assert (exchange.handshakes_accepted, listener.stats.bad_frames) == (2, 0)
        listener.subscription.dispose()


@pytest.mark.parametrize("venue", [deribit, okx, coinbase_exchange], ids=lambda venue: venue.NAME)
@leaping
async def test_a_renewed_book_begins_with_a_snapshot(venue: Any) -> None:
    """As each subscription of it does."""
    topic, other = (venue.book(symbol) for symbol in SYMBOLS[venue][:2])
    async with exchange_of(venue) as exchange:
        listener = Listener(venue, exchange, [topic, other])
        await listener.until_all(LIVE)
        await tell(exchange, [topic], 3)
        listener.topics.renew(topic)
        await listener.until(lambda: listener.steps(topic)[3:] == ["requested", "acknowledged", "live"])
        whole = [value.symbol for value in listener.values if isinstance(value, BookSnapshot)]
        assert sorted(whole) == sorted([*SYMBOLS[venue][:2], SYMBOLS[venue][0]])
        assert listener.steps(other).count("requested") == 1
        listener.subscription.dispose()


@venues
@leaping
async def test_weeks_of_changes_leave_nothing_behind(venue: Any) -> None:
    """Neither where the venue answers nor where it does not."""
    stays, comes, _ = topics_of(venue)
    async with exchange_of(venue) as exchange:
        listener = Listener(venue, exchange, [stays], send_limit=None)
        await listener.until_all(ACKNOWLEDGED, LIVE)
        (asker,) = (each for each in listener.topics._askers if isinstance(each, Dialogue))
        for answers in (True, False):
            if not answers:
                exchange.acks("silent", times=2_000)
            for _ in range(600):
                listener.topics.add(comes)
                await asyncio.sleep(0.0)
                listener.topics.discard(comes)
                await asyncio.sleep(0.0)
            await asyncio.sleep(1.0)
            assert len(asker._correspondence) <= (0 if answers else 1_024)
            assert len(asker._correspondence._left_at) == len(asker._correspondence)
            standing = asker._standing
            kept = (asker.statuses, standing._asked, standing._unanswered, standing._deadlines._deadlines)
            assert max(len(each) for each in kept) <= 1
        listener.subscription.dispose()


# What a connection lives on


@venues
@leaping
async def test_ten_quiet_minutes_cost_no_connection(venue: Any) -> None:
    """Under the venue's own limits: what it wants to hear now and then, it hears, and no more than it takes."""
    topics = topics_of(venue)[:2]
    async with exchange_of(venue, Limits.of(venue.NAME)) as exchange:
        listener = Listener(venue, exchange, topics, first_data_timeout=None)
        await listener.until_all(ACKNOWLEDGED, LIVE)
        for _ in range(10):
            await asyncio.sleep(60.0)
            listener.topics.renew(topics[0])
        await listener.until_all(ACKNOWLEDGED, LIVE)
        assert not exchange.violations
        assert (exchange.handshakes_accepted, len(exchange.live)) == (1, 1)
        listener.subscription.dispose()


@venues
@leaping
async def test_what_the_venue_does_not_document_is_counted(venue: Any) -> None:
    """As a bad frame, each; the topics go on."""
    topics = topics_of(venue)[:1]
    async with exchange_of(venue) as exchange:
        listener = Listener(venue, exchange, topics)
        await listener.until_all(ACKNOWLEDGED, LIVE)
        exchange.say("hello")
        exchange.unknown_event()
        exchange.error_without_id()
        await tell(exchange, topics)
        assert listener.stats.bad_frames == 3
        assert listener.topics.status(topics[0]) is LIVE
        listener.subscription.dispose()


@pytest.mark.parametrize("venue", [binance, okx], ids=lambda venue: venue.NAME)
@leaping
async def test_a_notice_leads_to_the_next_connection_without_a_gap(venue: Any) -> None:
    """Before the venue closes this one: every trade is there once, in order."""
    topics = topics_of(venue)[:2]
    async with exchange_of(venue, rate=40.0) as exchange:
        listener = Listener(venue, exchange, topics)
        await listener.until_all(LIVE)
        for serial in (2, 3):
            await asyncio.sleep(5.0)
            exchange.announce_shutdown(lead=30.0)
            await listener.until(lambda serial=serial: len(listener.of(Rotated)) == serial - 1)
        await asyncio.sleep(5.0)
        assert exchange.missed() == 0
        for symbol in SYMBOLS[venue][:2]:
            ids = [int(value.id) for value in listener.values if value.symbol == symbol]
            assert len(ids) > 100
            assert ids == sorted(set(ids))
        assert (exchange.handshakes_accepted, listener.stats.reactive_disconnects) == (3, 0)
        listener.subscription.dispose()


@venues
@pytest.mark.parametrize("seconds", [0.0, 0.0001, 0.2, 0.5, 12.0])
@leaping
async def test_who_leaves_at_any_time_leaves_nothing(venue: Any, seconds: float) -> None:
    """No socket, no task, no timer: while it dials, while it asks, after a reset, and while it waits for data."""
    topics = topics_of(venue)
    async with exchange_of(venue, Limits.of(venue.NAME)) as exchange:
        with Leftovers() as leftovers:
            listener = leftovers.as_client(Listener, venue, exchange, topics, on_rejected="tell")
            await asyncio.sleep(seconds)
            if seconds == 0.5:
                exchange.reset()
                await asyncio.sleep(0.1)
            leftovers.as_client(listener.subscription.dispose)
            assert await leftovers.after_a_while() == []
            assert listener.topics._askers == []
