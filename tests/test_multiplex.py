"""Many topics over few connections, in virtual time: who is counted, who is told what, and what stays where it is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import reactivex as rx
from reactivex import Observable
from reactivex import operators as ops
from reactivex.disposable import SerialDisposable
from reactivex.testing import TestScheduler

import rxws
from rxws import Backoff, multiplex
from rxws.errors import (
    ConfigError,
    ConnectionClosed,
    HandshakeRejected,
    Killed,
    SubscriptionRejected,
    SubscriptionTimeout,
)
from rxws.events import Closed, Event, Rejected, Stale, TopicChanged, TopicStatus
from rxws.exchanges import binance, binance_usdm, okx
from rxws.multiplex import Multiplex
from rxws.testing import Attempt, ScriptedTransport, SimulatedExchange
from tests.leaping import leap
from tests.operators.seen import COMPLETED
from tests.talking import BNB, BTC, ETH, Talked, ack, quote, quotes, refusal, until

LOST = ConnectionClosed(1006)
SUB, UNSUB = "SUBSCRIBE", "UNSUBSCRIBE"


class Bug(Exception):
    """What a subscriber raises."""


class Many:
    """A `multiplex` over scripted connections, and what its subscribers got."""

    def __init__(self, *attempts: Any, venue: Any = binance, **options: Any) -> None:
        self.virtual = TestScheduler()
        self.transport = ScriptedTransport(*attempts)
        self.events: list[Event] = []
        given = {
            "transport": self.transport,
            "events": self.events.append,
            "random": lambda: 0.0,
            "retry": Backoff.fixed(2.0),
            "ping_interval": None,
            "idle_timeout": None,
            "linger": 0.0,
        }
        self.mux = multiplex(venue, **{**given, **options})

    def to(self, seconds: float) -> Many:
        self.virtual.advance_to(seconds)
        return self

    def hear_of(self, kind: type[Exception], seconds: float) -> None:
        """Go on though something is raised on the way, as it is where there is no loop to hear of it."""
        with pytest.raises(kind):
            self.virtual.advance_to(seconds)
        self.virtual._is_enabled = False  # reactivex's clock stands still after that
        self.virtual.advance_to(seconds)

    def see(self, stream: Observable[Any] | str, told: Callable[[Any], object] = bool) -> Subscriber:
        """Subscribe to a stream, or to a topic."""
        return Subscriber(self.virtual, self.mux[stream] if isinstance(stream, str) else stream, told)

    def said(self, dial: int = 0) -> list[tuple[str, list[str]]]:
        return Talked(self.virtual, self.transport).said(dial)

    @property
    def dials(self) -> list[float]:
        return [dialed.at for dialed in self.transport.dials]


class Subscriber:
    """Subscribes now, and notes numbers, events, and how it ended."""

    def __init__(self, virtual: TestScheduler, stream: Observable[Any], told: Callable[[Any], object]) -> None:
        self.numbers: list[int] = []
        self.events: list[Event] = []
        self.ended: Any = None
        self._told = told
        self.subscription = stream.subscribe(self._next, self._end, lambda: self._end(COMPLETED), scheduler=virtual)

    def _next(self, value: Any) -> None:
        if isinstance(value, Event):
            self.events.append(value)
        else:
            self.numbers.append(value.sequence)
        self._told(value)

    def _end(self, how: Any) -> None:
        self.ended = how
        self._told(how)

    def leave(self) -> None:
        self.subscription.dispose()


def both(*, lost: Any = None, acks: int = 9) -> Attempt:
    """Return an attempt that acknowledges all, and brings a message of two topics each second."""
    messages = [(0.1, ack(number)) for number in range(1, acks)]
    for second in range(1, 60):
        messages += [(float(second), quote(BTC, second)), (float(second), quote(ETH, second))]
    return until(*[each for each in messages if lost is None or each[0] < lost[0]], lost=lost)


# Counted


def test_the_first_subscriber_subscribes_a_topic_and_the_last_ones_leaving_ends_it() -> None:
    """On the wire it is asked for once, however many there are."""
    many = Many(both())
    first, other = many.see(BTC), many.see(ETH)
    many.to(2.5)
    second = many.see(BTC)
    many.to(4.5)
    first.leave()
    many.to(6.5)
    second.leave()
    many.to(8.5)
    assert many.said() == [(SUB, [BTC, ETH]), (UNSUB, [BTC])]
    assert first.numbers == [1, 2, 3, 4]
    assert second.numbers == [3, 4, 5, 6]
    assert other.numbers == list(range(1, 9))
    assert len(many.dials) == 1


def test_without_subscribers_there_is_no_connection() -> None:
    """Before the first, and after the last; and then it begins anew."""
    many = Many(both())
    stream = many.mux[BTC]
    assert (many.to(1.0).dials, many.mux.connections) == ([], ())
    one = many.see(stream)
    many.to(3.0)
    one.leave()
    assert many.transport.live == 0
    assert (many.mux.connections, many.mux.statuses, many.mux.status(BTC)) == ((), {}, None)
    many.to(4.0)
    many.see(stream)
    assert many.to(6.0).dials == [1.0, 4.0]


def test_leaving_twice_is_leaving_once() -> None:
    """The others stay subscribed."""
    many = Many(both())
    first, second = many.see(BTC), many.see(BTC)
    first.leave()
    first.leave()
    many.to(2.5)
    assert second.numbers == [1, 2]


def test_a_topic_lingers_after_its_last_subscriber_and_who_comes_back_finds_it_live() -> None:
    """After that it is unsubscribed, and the last topic's lingering keeps the connection."""
    many = Many(both(), linger=5.0)
    one, other = many.see(BTC), many.see(ETH)
    many.to(2.5)
    one.leave()
    many.to(6.5)
    again = many.see(BTC)
    assert many.mux.status(BTC) is TopicStatus.LIVE
    many.to(8.5)
    assert (many.said(), again.numbers) == ([(SUB, [BTC, ETH])], [7, 8])
    again.leave()
    many.to(13.4)
    assert len(many.said()) == 1
    many.to(14.0)
    assert many.said()[-1] == (UNSUB, [BTC])
    other.leave()
    many.to(18.9)
    assert many.transport.live == 1
    many.to(19.1)
    assert many.transport.live == 0


def test_who_joins_and_leaves_within_a_message_hurts_nobody() -> None:
    """Who joins hears from the next one on; who is gone hears nothing more, in the same message neither."""
    many = Many(both())
    late: list[Subscriber] = []

    def change(value: Any) -> None:
        if value.sequence == 2:
            leaving.leave()
            late.append(many.see(BTC))
            late.append(many.see(BNB))

    changing = many.see(BTC, change)
    leaving, staying = many.see(BTC), many.see(BTC)
    many.to(4.5)
    assert (changing.numbers, staying.numbers) == ([1, 2, 3, 4], [1, 2, 3, 4])
    assert leaving.numbers == [1]
    assert late[0].numbers == [3, 4]
    assert many.said() == [(SUB, [BTC]), (SUB, [BNB])]


def test_the_last_one_may_leave_within_its_own_message() -> None:
    """The connection ends there and then."""
    many = Many(both())
    one = many.see(many.mux[BTC].pipe(ops.take(2)))
    many.to(9.0)
    assert (one.numbers, one.ended, many.transport.live) == ([1, 2], COMPLETED, 0)


# Alone


def raise_at(number: int) -> Callable[[Any], None]:
    """Return what raises at the message of that number."""

    def told(value: Any) -> None:
        if getattr(value, "sequence", None) == number:
            raise Bug

    return told


def test_a_subscriber_that_raises_is_disposed_alone() -> None:
    """The others have that message, and all that follow; what it raised is reported."""
    many = Many(both())
    first, bad, last, other = many.see(BTC), many.see(BTC, raise_at(2)), many.see(BTC), many.see(ETH)
    many.hear_of(Bug, 4.5)
    assert bad.numbers == [1, 2]
    assert first.numbers == last.numbers == [1, 2, 3, 4]
    assert other.numbers == [1, 2, 3, 4]
    assert len(many.dials) == 1


def test_the_last_subscriber_of_a_topic_that_raises_unsubscribes_it() -> None:
    """As if it had left."""
    many = Many(both())
    many.see(BTC, raise_at(2))
    other = many.see(ETH)
    many.hear_of(Bug, 4.5)
    assert many.said() == [(SUB, [BTC, ETH]), (UNSUB, [BTC])]
    assert other.numbers == [1, 2, 3, 4]


def test_who_raises_in_an_event_is_disposed_alone_too() -> None:
    """Whatever it is told."""
    many = Many(both())

    def told(value: Any) -> None:
        if isinstance(value, TopicChanged):
            raise Bug

    bad = many.see(many.mux.observe(BTC, lifecycle=True), told)
    good = many.see(many.mux.observe(BTC, lifecycle=True))
    many.hear_of(Bug, 4.5)
    assert isinstance(bad.events[-1], TopicChanged)
    assert bad.numbers == []
    assert good.numbers == [1, 2, 3, 4]


def test_a_refused_topic_is_the_error_of_its_own_subscribers() -> None:
    """The others hear nothing of it, and the connection stays."""
    many = Many(until((0.5, refusal(1)), (0.6, refusal(2)), (0.7, ack(3)), *quotes(ETH, 1.0, 2.0)))
    first, second, other = many.see(BTC), many.see(BTC), many.see(ETH)
    many.to(3.0)
    for each in (first, second):
        assert isinstance(each.ended, SubscriptionRejected)
        assert each.ended.topic == BTC
    assert (other.ended, other.numbers) == (None, [10, 20])
    assert many.mux.statuses == {ETH: TopicStatus.LIVE}
    assert UNSUB not in [method for method, _ in many.said()]
    assert len(many.dials) == 1


def test_a_silent_topic_may_be_the_error_of_its_own_subscribers() -> None:
    """It is unsubscribed then."""
    many = Many(until((0.5, ack()), *quotes(ETH, 1.0)), on_silent="raise", first_data_timeout=5.0)
    silent, other = many.see(BTC), many.see(ETH)
    many.to(6.0)
    assert isinstance(silent.ended, SubscriptionTimeout)
    assert other.ended is None
    assert many.said()[-1] == (UNSUB, [BTC])


def test_the_error_of_the_last_topic_ends_the_connection() -> None:
    """Nobody wants it any more."""
    many = Many(until((0.5, refusal())))
    one = many.see(BTC)
    many.to(9.0)
    assert isinstance(one.ended, SubscriptionRejected)
    assert (many.transport.live, many.mux.connections, len(many.dials)) == (0, (), 1)


def test_who_comes_back_at_once_after_a_refusal_is_asked_for_again() -> None:
    """Nobody waits for a topic that nobody asks for."""
    answers = [(0.5, refusal(1)), (0.6, ack(2)), (0.7, refusal(3)), (0.8, refusal(4)), (0.9, ack(5))]
    many = Many(until(*answers, *quotes(BTC, 2.0)))
    other = many.see(ETH)
    one = many.see(many.mux[BTC].pipe(ops.retry(3)))
    many.to(3.0)
    assert (one.numbers, one.ended, other.ended) == ([20], None, None)
    assert [asked for method, asked in many.said() if method == SUB][-2:] == [[BTC], [BTC]]
    assert many.mux.status(BTC) is TopicStatus.LIVE


def test_who_comes_back_at_once_after_a_silence_is_asked_for_again() -> None:
    """With a deadline of its own, and on the same connection, which lingers as topics do."""
    many = Many(until(*[(0.1, ack(number)) for number in (1, 2, 3)]), on_silent="raise", ack_timeout=5.0, linger=1.0)
    one = many.see(many.mux[BTC].pipe(ops.retry(2)))
    many.to(60.5)
    assert one.ended is None
    assert many.said() == [(SUB, [BTC]), (UNSUB, [BTC]), (SUB, [BTC])]
    many.to(66.0)
    assert isinstance(one.ended, SubscriptionTimeout)
    assert (len(many.dials), many.transport.live) == (1, 1)
    many.to(66.2)
    assert many.transport.live == 0


@pytest.mark.parametrize("answers", [(0.5, refusal(1)), (0.5, ack(1))], ids=["refused", "silent"])
def test_who_comes_back_within_the_error_itself_is_asked_for_again(answers: Any) -> None:
    """Before the venue was told that nobody wants it."""
    many = Many(until(answers), on_silent="raise", first_data_timeout=5.0, linger=1.0)
    again: list[Subscriber] = []
    many.see(BTC, lambda how: again.append(many.see(BTC)))
    many.to(6.0)
    assert [asked for method, asked in many.said() if method == SUB] == [[BTC], [BTC]]
    assert (again[0].ended, many.mux.status(BTC), len(many.dials)) == (None, TopicStatus.REQUESTED, 1)
    many.to(16.0)
    assert isinstance(again[0].ended, SubscriptionTimeout)


def test_a_second_subscriber_of_a_silent_topic_waits_with_the_first() -> None:
    """Only who comes first has it asked for anew."""
    many = Many(until((0.5, ack()), *quotes(BTC, 9.0)), first_data_timeout=5.0)
    first = many.see(BTC)
    many.to(6.0)
    second = many.see(BTC)
    many.to(10.0)
    assert (first.numbers, second.numbers, many.said()) == ([90], [90], [(SUB, [BTC])])


def test_a_second_subscriber_has_a_refused_topic_asked_for_again() -> None:
    """Where a refusal is told only, the first one waits with it."""
    many = Many(until((0.5, refusal(1)), (3.0, ack(2)), *quotes(BTC, 4.0)), on_rejected="tell")
    first = many.see(BTC)
    many.to(2.0)
    second = many.see(BTC)
    many.to(5.0)
    assert (first.numbers, second.numbers) == ([40], [40])
    assert many.said() == [(SUB, [BTC]), (SUB, [BTC])]


def test_the_end_of_the_connection_reaches_all() -> None:
    """Who comes back begins a new one."""
    many = Many(Attempt.refused(error=HandshakeRejected("ws://scripted", 403)), both())
    first, second = many.see(BTC), many.see(ETH)
    again = many.see(many.mux[BNB].pipe(ops.catch(lambda error, _: many.mux[BTC])))
    many.to(2.5)
    assert isinstance(first.ended, HandshakeRejected)
    assert second.ended is first.ended
    assert again.numbers == [1, 2]
    assert many.mux.connections == ((BTC,),)


def test_a_final_close_code_completes_all() -> None:
    """As `ws_observable` does."""
    many = Many(both(lost=(2.5, ConnectionClosed(4000))), final_close_codes=[4000])
    first, second = many.see(BTC), many.see(ETH)
    many.to(9.0)
    assert (first.ended, second.ended, many.mux.statuses) == (COMPLETED, COMPLETED, {})


def test_who_raises_at_the_end_keeps_it_from_nobody() -> None:
    """All hear of it before that is reported."""
    many = Many(Attempt.refused(error=HandshakeRejected("ws://scripted", 403)))

    def told(value: Any) -> None:
        raise Bug

    first, second = many.see(BTC, told), many.see(ETH)
    with pytest.raises(Bug):
        many.to(2.5)
    assert first.ended is second.ended is not None


# Told


def test_events_are_told_to_who_asked_for_them_and_those_of_a_topic_to_its_own() -> None:
    """What is of the connection is told to all of them."""
    many = Many(until((0.5, refusal(1)), (0.6, refusal(2)), (0.7, ack(3)), *quotes(ETH, 1.0)), on_rejected="tell")
    plain = many.see(BTC)
    btc = many.see(many.mux.observe(BTC, lifecycle=True))
    eth = many.see(many.mux.observe(ETH, lifecycle=True))
    many.to(3.0)
    assert plain.events == []
    for each, topic in ((btc, BTC), (eth, ETH)):
        of_topics = [event for event in each.events if isinstance(event, TopicChanged | Rejected)]
        assert {event.topic for event in of_topics} == {topic}
        assert [type(event).__name__ for event in each.events if event not in of_topics] == [
            "Connecting",
            "Opened",
            "Live",
        ]
    assert isinstance(btc.events[-2], Rejected | TopicChanged)
    assert [event.status.value for event in eth.events if isinstance(event, TopicChanged)][-2:] == [
        "acknowledged",
        "live",
    ]


def test_a_stale_topic_is_told_to_its_own_subscribers() -> None:
    """The others go on without a word."""
    messages = [*quotes(BTC, 1.0), *quotes(ETH, *range(1, 30))]
    many = Many(until((0.1, ack()), *messages), topic_timeout=5.0)
    btc = many.see(many.mux.observe(BTC, lifecycle=True))
    eth = many.see(many.mux.observe(ETH, lifecycle=True))
    many.to(20.0)
    assert [event.topic for event in btc.events if isinstance(event, Stale)] == [BTC]
    assert [event for event in eth.events if isinstance(event, Stale)] == []


def test_a_renewal_is_of_the_topics_own_connection() -> None:
    """One that nobody wants is ignored, which is said."""
    many = Many(both(), topics_per_connection=1)
    many.see(BTC)
    many.see(ETH)
    many.to(1.5)
    assert (many.mux.renew(ETH), many.mux.renew(BNB)) == (True, False)
    many.to(2.5)
    assert (many.said(0), many.said(1)) == ([(SUB, [BTC])], [(SUB, [ETH]), (UNSUB, [ETH]), (SUB, [ETH])])


def test_a_reconnect_is_of_the_topics_own_connection() -> None:
    """It is a loss like any other, and the next connection asks for all that this one had."""
    many = Many(until(), topics_per_connection=2)
    for topic in (BTC, ETH, BNB):
        many.see(topic)
    many.to(1.0)
    assert (many.mux.reconnect(BTC), many.mux.reconnect(binance.quotes("FAKE"))) == (True, False)
    many.to(9.0)
    assert many.dials == [0.0, 0.0, 3.0]
    assert many.said(2) == [(SUB, [BTC, ETH])]
    (closed,) = [event for event in many.events if isinstance(event, Closed)]
    assert isinstance(closed.error, Killed)


def test_what_lingers_can_be_ended_now() -> None:
    """What somebody wants stays."""
    many = Many(both(), linger=60.0)
    one, other = many.see(BTC), many.see(ETH)
    many.to(1.5)
    one.leave()
    many.mux.end_lingering()
    many.to(2.5)
    assert (many.said()[1:], other.numbers) == ([(UNSUB, [BTC])], [1, 2])
    other.leave()
    many.mux.end_lingering()
    assert (many.transport.live, many.mux.connections) == (0, ())


def test_who_hears_of_the_end_of_what_lingers_may_come_for_another_topic() -> None:
    """Of another endpoint, which has a connection of its own."""
    quotes, trades = binance_usdm.quotes("BTCUSDT"), binance_usdm.trades("BTCUSDT")
    came: list[Any] = []

    def heard(event: Event) -> None:
        if isinstance(event, Closed) and not came:
            came.append(many.see(trades))

    many = Many(until(), until(), venue=binance_usdm, linger=60.0, events=heard)
    one = many.see(quotes)
    many.to(1.0)
    one.leave()
    many.mux.end_lingering()
    many.to(2.0)
    assert many.mux.connections == ((trades,),)


def test_a_connection_that_lingers_after_an_error_can_be_ended_now() -> None:
    """Nobody wants anything of it, though it has no topic that lingers."""
    many = Many(until((0.5, refusal())), linger=60.0)
    many.see(BTC)
    many.to(1.0)
    assert (many.transport.live, many.mux.connections) == (1, ())
    many.mux.end_lingering()
    assert many.transport.live == 0


# On a loop


def test_what_a_subscriber_raises_goes_to_the_loops_handler_and_the_others_go_on() -> None:
    """Or to whoever waits for that subscriber, and to nobody else."""

    async def main() -> None:
        heard: list[BaseException] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.append(context["exception"]))
        async with SimulatedExchange("binance", rate=100.0) as exchange:
            mux = multiplex(binance, base=exchange.url)
            got: list[Any] = []
            good = mux[BTC].subscribe(got.append)
            mux[BTC].subscribe(lambda _: (_ for _ in ()).throw(Bug()))
            waited = rxws.aiter(mux[BTC].pipe(ops.do_action(raise_bug)))
            with pytest.raises(Bug):
                async for _ in waited:
                    pass
            await exchange.until(lambda: len(got) >= 20)
            assert [type(error) for error in heard] == [Bug]
            assert exchange.handshakes_accepted == 1
            good.dispose()

    leap(main())


def raise_bug(_: object) -> None:
    """Raise, as a subscriber with a bug does."""
    raise Bug


def test_a_loop_that_was_closed_takes_nothing_with_it() -> None:
    """The next loop has connections of its own."""
    mux: list[Multiplex] = []

    async def main() -> None:
        async with SimulatedExchange("binance", rate=100.0, port=port[0]) as exchange:
            port[0] = exchange.port
            if not mux:
                mux.append(multiplex(binance, base=exchange.url))
            got: list[Any] = []
            mux[0][BTC].subscribe(got.append)
            await exchange.until(lambda: exchange.live and exchange.live[-1].streams)
            async with asyncio.timeout(5.0):
                while not got:
                    await asyncio.sleep(0.1)

    port = [0]
    leap(main())
    leap(main())


# Spread


def test_topics_are_spread_and_stay_where_they_are() -> None:
    """The first connection with room takes the next one; nothing moves, whoever leaves and whatever is lost."""
    many = Many(both(lost=(5.0, LOST)), both(), topics_per_connection=2)
    topics = [binance.quotes(f"{letter}USDT") for letter in "ABCDE"]
    subscribers = {topic: many.see(topic) for topic in topics}
    a, b, c, d, e = topics
    assert many.mux.connections == ((a, b), (c, d), (e,))
    many.to(20.0)
    assert many.mux.connections == ((a, b), (c, d), (e,))
    assert [asked for _, asked in many.said(3)] == [[a, b]]
    subscribers[b].leave()
    subscribers[c].leave()
    subscribers[d].leave()
    assert many.mux.connections == ((a,), (e,))
    f, g, h = (binance.quotes(f"{letter}USDT") for letter in "FGH")
    for topic in (f, g, h):
        many.see(topic)
    assert many.mux.connections == ((a, f), (g, h), (e,))
    assert set(many.mux.statuses) == {a, e, f, g, h}


def test_a_topic_that_lingers_keeps_its_place() -> None:
    """Another one takes no more than there is room for."""
    many = Many(both(), topics_per_connection=1, linger=5.0)
    many.see(BTC).leave()
    many.see(ETH)
    assert many.mux.connections == ((BTC,), (ETH,))
    many.see(BTC)
    assert many.mux.connections == ((BTC,), (ETH,))


def test_topics_of_different_endpoints_have_different_connections() -> None:
    """A stream of Binance's futures that is asked for at the wrong one would never come."""
    many = Many(until(), venue=binance_usdm)
    for topic in (binance_usdm.quotes("BTCUSDT"), binance_usdm.trades("BTCUSDT"), binance_usdm.book("BTCUSDT")):
        many.see(topic)
    many.to(1.0)
    assert [dialed.url.rpartition(".com")[2] for dialed in many.transport.dials] == ["/public/stream", "/market/stream"]
    assert [len(topics) for topics in many.mux.connections] == [2, 1]


def test_dials_are_as_far_apart_as_the_venue_wants() -> None:
    """OKX takes three a second; all connections of the venue count together."""
    many = Many(until(), venue=okx, topics_per_connection=1)
    for number in range(6):
        many.see(okx.trades(f"A{number}-USDT"))
    many.to(10.0)
    assert many.dials == pytest.approx([0.0, 0.34, 0.68, 1.02, 1.36, 1.70], abs=0.001)


def test_a_thousand_and_twenty_four_are_as_many_as_binance_takes() -> None:
    """The next one has a connection of its own, which is asked for nothing else."""
    many = Many(until())
    for number in range(1_025):
        many.see(binance.quotes(f"A{number}USDT"))
    many.to(60.0)
    assert [len(topics) for topics in many.mux.connections] == [1_024, 1]
    assert [sum(len(asked) for _, asked in many.said(dial)) for dial in (0, 1)] == [1_024, 1]


# What is wrong


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"linger": -1.0}, "linger"),
        ({"linger": None}, "linger"),
        ({"topics_per_connection": 0}, "topics_per_connection"),
        ({"topics_per_connection": 1_025}, "topics_per_connection"),
        ({"on_rejected": "ignore"}, "on_rejected"),
        ({"ack_timeout": 0.0}, "ack_timeout"),
        ({"idle_timeout": -1.0}, "idle_timeout"),
        ({"lifecycle": True}, "lifecycle"),
        ({"topic": str}, "topic"),
    ],
    ids=str,
)
def test_a_wrong_argument_is_refused_before_anybody_subscribes(options: Any, field: str) -> None:
    """It is named."""
    with pytest.raises(ConfigError) as told:
        multiplex(binance, **options)
    assert told.value.field == field


@pytest.mark.parametrize("topic", ["", None, 7, b"a"], ids=repr)
def test_what_is_no_topic_is_refused_at_once(topic: Any) -> None:
    """Before anybody subscribes."""
    with pytest.raises(ConfigError, match="topic"):
        multiplex(binance)[topic]


def test_it_is_no_collection() -> None:
    """`for` and `in` would otherwise ask for one topic after the other, without an end."""
    mux: Any = multiplex(binance)
    with pytest.raises(TypeError):
        iter(mux)
    with pytest.raises(TypeError):
        "a" in mux  # noqa: B015  # it is the asking that raises


def test_who_leaves_all_within_an_event_leaves_no_socket() -> None:
    """Whatever it is told."""
    many = Many(both())
    everything = SerialDisposable()

    def told(value: Any) -> None:
        if isinstance(value, TopicChanged):
            everything.dispose()

    stream = rx.merge(many.mux.observe(BTC, lifecycle=True), many.mux.observe(ETH, lifecycle=True))
    everything.disposable = stream.subscribe(told, scheduler=many.virtual)
    many.to(9.0)
    assert (many.transport.live, many.mux.connections) == (0, ())


def test_two_of_a_kind_have_nothing_in_common() -> None:
    """Each has its own connections, and its own count."""
    first, second = Many(both()), Many(both())
    one = first.see(BTC)
    second.see(BTC)
    first.to(2.5)
    assert (one.numbers, second.dials) == ([1, 2], [])
    assert isinstance(first.mux, Multiplex)
