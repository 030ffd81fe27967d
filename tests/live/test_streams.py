from __future__ import annotations

from collections.abc import Callable

import pytest
import reactivex as rx
from reactivex.testing import TestScheduler

from rxws import Backoff, Rotation, ws_observable
from rxws.errors import ConnectionClosed, ConnectionFailed, IdleTimeout
from rxws.events import Closed, ConnectionState, DisconnectReason, Event, Live, Waiting
from rxws.live.streams import Mark, StreamState, report_of
from rxws.testing import Attempt, ScriptedTransport

SECOND = 1_000_000_000


class Watched:
    """A stream over a script, in virtual time, and what a bar says of it."""

    def __init__(self, *attempts: Attempt, **options: object) -> None:
        self.virtual = TestScheduler()
        self.state = StreamState()
        self.marks: list[Mark] = []
        script = ScriptedTransport(*attempts)
        stream: rx.Observable[object] = ws_observable(  # type: ignore[call-overload]
            "ws://scripted", transport=script, events=self.hear, **options
        )
        self.subscription = stream.subscribe(lambda _: None, lambda _: None, scheduler=self.virtual)

    def hear(self, event: Event) -> None:
        """What a view does with it."""
        mark = self.state.hear(event, self.virtual.clock)
        if mark is not None:
            self.marks.append(mark)

    def says(self, at: float) -> tuple[str, str, float | None]:
        """State, words, and seconds at an instant."""
        self.virtual.advance_to(at)
        report = report_of([self.state], self.virtual.clock, None)
        return report.state, report.text, report.seconds


def lost(at: float, error: Exception, message: float = 1.0) -> Attempt:
    """A connection that delivers, and is lost."""
    return Attempt(messages=[(message, "1")], lost=(at, error))


def test_a_loss_is_told_with_its_reason_and_the_way_back() -> None:
    """Connecting, live, lost and why, and live again."""
    watched = Watched(
        lost(10.0, ConnectionClosed(1012)), Attempt(opens=2.0, messages=[(3.0, "2")]), retry=Backoff.fixed(5.0)
    )
    assert watched.says(0.5) == ("connecting", "connected, no data yet", None)
    assert watched.says(5.0) == ("live", "live", None)
    assert watched.says(12.0) == ("waiting", "reconnecting {in}: lost: server closed (1012)", 3.0)
    assert watched.says(15.5) == ("connecting", "connecting, attempt 2: lost: server closed (1012)", None)
    assert watched.says(17.5) == ("connecting", "connected, no data yet", None)
    assert watched.says(20.0) == ("live", "live", None)


def test_an_outage_is_one_mark_from_the_loss_to_the_first_data() -> None:
    """However many attempts fail in between."""
    refused = ConnectionFailed("ws://scripted", last_error=ConnectionRefusedError())
    watched = Watched(
        lost(10.0, IdleTimeout(4.0)),
        Attempt.refused(error=refused),
        Attempt.refused(error=refused),
        Attempt(messages=[(1.0, "2")]),
        retry=Backoff.fixed(5.0),
    )
    watched.virtual.advance_to(12.0)
    assert watched.marks == [Mark("", "lost", 10 * SECOND, None, "lost: no data for 4 s")]
    assert watched.says(16.0)[1] == "reconnecting {in}: no connection: refused"
    watched.virtual.advance_to(60.0)
    assert [(mark.from_ns, mark.to_ns) for mark in watched.marks] == [(10 * SECOND, None), (10 * SECOND, 26 * SECOND)]
    assert watched.state.mark is None


def test_a_planned_end_is_told_as_planned() -> None:
    """It is no loss, and does not look like one."""
    end: rx.Observable[object] = rx.timer(10.0)
    watched = Watched(
        Attempt(messages=[(1.0, "1")]),
        Attempt(messages=[(1.0, "2")]),
        disconnect_when=end,
        reconnect_when=rx.timer(20.0),
        check_interval=1.0,
    )
    watched.virtual.advance_to(12.0)
    assert [(mark.kind, mark.words) for mark in watched.marks] == [("planned", "left by plan (scheduled)")]
    state, words, _ = watched.says(12.5)
    assert state == "waiting"
    assert words.startswith("left by plan (scheduled)")


def test_a_rotation_is_no_outage() -> None:
    """The old connection delivers until the new one does; nothing is told, nothing is marked."""
    watched = Watched(
        Attempt(messages=[(float(at), "1") for at in range(1, 60)]),
        Attempt(opens=2.0, messages=[(float(at), "2") for at in range(3, 60)]),
        rotate=Rotation(10.0, overlap=5.0),
    )
    seen = {watched.says(at / 2)[:2] for at in range(4, 60)}
    assert seen == {("live", "live")}
    assert watched.marks == []


@pytest.mark.parametrize("end", ["dispose", "give up"])
def test_a_subscription_that_is_over_says_so(end: str) -> None:
    """So that nobody waits for it in the bar."""
    watched = Watched(lost(10.0, ConnectionClosed(1012)), retry=None)
    watched.virtual.advance_to(5.0)
    assert not watched.state.is_over
    if end == "dispose":
        watched.subscription.dispose()
    watched.virtual.advance_to(20.0)
    assert watched.state.is_over


def ill(name: str, words: str, until: float | None, origin: str = "ws://a.example/x") -> StreamState:
    """A stream that is not live."""
    state = StreamState(name)
    state.origin, state.state, state.words, state.until = origin, "waiting", words, until
    return state


def test_all_that_are_not_live_are_told_by_name() -> None:
    """The one that has a time keeps its countdown; one bar has one."""
    well = StreamState("A")
    states = [
        well,
        ill("B", "lost", None),
        ill("C", "reconnecting {in}: x", 7.0),
        ill("D", "reconnecting {in}: y", 8.0),
    ]
    report = report_of(states, 5.0, 1.0)
    assert report.text == "B: lost; C: reconnecting {in}: x; D: reconnecting: y"
    assert (report.state, report.seconds, report.quiet) == ("waiting", 2.0, 1.0)
    assert report_of([well], 5.0, 1.0).text == "live"


def test_two_connections_of_one_stream_are_told_apart_by_their_hosts() -> None:
    """A merge of two, as one line."""
    states = [ill("spread", "lost", None), ill("spread", "lost", None, "wss://b.example:9443/ws")]
    assert report_of(states, 0.0, None).text == "spread a.example: lost; spread b.example:9443: lost"


def test_a_countdown_does_not_run_below_zero() -> None:
    """A timer may be late."""
    assert report_of([ill("", "reconnecting {in}: x", 7.0)], 9.0, None).seconds == 0.0


Made = Callable[[], Event]


def test_before_any_dial_a_closed_window_is_told_as_what_it_is() -> None:
    """Nothing was lost, so nothing is reconnected."""
    state = StreamState()
    stamp = {"generation": 0, "origin": "", "time_ns": 0, "state": ConnectionState.DISCONNECTED}
    state.hear(Waiting(**stamp, seconds=60.0, rule="window", attempt=1, error=None), 5.0)  # type: ignore[arg-type]
    assert (state.words, state.until) == ("connecting {in}", 65.0)


def test_a_mark_that_was_planned_stays_planned() -> None:
    """What fails on the way back does not make a loss of it."""
    state = StreamState("A")
    stamp = {"generation": 1, "origin": "", "state": ConnectionState.RECONNECTING, "uptime": 0.0}
    plan = Closed(**stamp, time_ns=1, reason=DisconnectReason.SCHEDULED, error=None, opened=True)  # type: ignore[arg-type]
    error = ConnectionFailed("ws://a")
    failed = Closed(  # type: ignore[arg-type]
        **stamp, time_ns=2, reason=DisconnectReason.NETWORK_ERROR, error=error, opened=False
    )
    began = state.hear(plan, 0.0)
    assert began is not None
    assert state.hear(failed, 1.0) is None
    ended = state.hear(Live(generation=2, origin="", time_ns=9, state=ConnectionState.CONNECTED, after=1.0), 2.0)
    assert ended == Mark("A", "planned", 1, 9, "left by plan (scheduled)")
