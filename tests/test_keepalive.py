"""Pings, probes and pauses, in virtual time."""

from __future__ import annotations

from typing import Any

import pytest
from reactivex.testing import TestScheduler

from rxws.errors import Disconnected, PingTimeout
from rxws.keepalive import Keepalive


class Server:
    """The other side: answers pings after `takes` seconds, None: never; a ping leaves `held` seconds after it was asked
    for, as where a limit holds it back."""

    def __init__(self, interval: float | None, timeout: float | None, takes: float | None = 0.0, held: float = 0.0):
        self.virtual = TestScheduler()
        self.takes, self.held = takes, held
        self.pings: list[tuple[float, bytes]] = []
        self.lost: list[tuple[float, Disconnected]] = []
        self.keepalive = Keepalive(interval, timeout, self._ask, lambda: 0, self._missed, self.virtual)

    def to(self, seconds: float) -> Server:
        """Let time pass."""
        self.virtual.advance_to(seconds)
        return self

    @property
    def pinged(self) -> list[float]:
        """When pings left."""
        return [at for at, _ in self.pings]

    def answer(self, number: int = -1) -> None:
        """Answer a ping now."""
        self.keepalive.on_pong(self.pings[number][1])

    def _ask(self, payload: bytes) -> None:
        if self.held:
            self.virtual.schedule_relative(self.held, lambda *_: self._leave(payload))
        else:
            self._leave(payload)

    def _leave(self, payload: bytes) -> None:
        self.pings.append((self.virtual.clock, payload))
        self.keepalive.left()
        if self.takes is not None:
            self.virtual.schedule_relative(self.takes, lambda *_: self.keepalive.on_pong(payload))

    def _missed(self, error: Disconnected) -> None:
        self.lost.append((self.virtual.clock, error))
        self.keepalive.dispose()


def lost(server: Server) -> list[tuple[float, float]]:
    """Return when it was lost, and the timeout that the error tells."""
    return [(at, error.timeout) for at, error in server.lost if isinstance(error, PingTimeout)]


def test_a_ping_goes_so_long_after_the_pong_before_it() -> None:
    """And the time in between is the latency."""
    server = Server(20.0, 20.0, takes=2.0).to(70.0)
    assert (server.pinged, server.keepalive.latency, server.lost) == ([20.0, 42.0, 64.0], 2.0, [])


def test_a_pong_that_does_not_come_is_missed_once() -> None:
    """After `timeout` seconds; nothing follows."""
    server = Server(20.0, 5.0, takes=None).to(500.0)
    assert (server.pinged, lost(server)) == ([20.0], [(25.0, 5.0)])


def test_where_a_pong_may_take_for_ever_pings_go_on() -> None:
    """Without one they are sent for their own sake."""
    server = Server(20.0, None, takes=None).to(70.0)
    assert (server.pinged, server.lost) == ([20.0, 40.0, 60.0], [])


@pytest.mark.parametrize("held", [3.0, 300.0])
def test_a_ping_that_a_limit_holds_back_is_waited_for_from_when_it_leaves(held: float) -> None:
    """However long that is: the connection is not to blame; nor is it a part of the latency."""
    server = Server(20.0, 5.0, takes=1.0, held=held).to(20.0 + held + 20.0)
    assert (server.pinged, server.keepalive.latency, server.lost) == ([20.0 + held], 1.0, [])


def test_a_pong_for_a_ping_that_has_not_left_answers_nothing() -> None:
    """Nobody can know its payload, but a server that counts."""
    server = Server(20.0, 5.0, takes=None, held=3.0).to(21.0)
    server.keepalive.on_pong((1).to_bytes(4))
    assert lost(server.to(50.0)) == [(28.0, 5.0)]


def test_a_loop_that_was_busy_gives_the_time_back_once() -> None:
    """The pong may have arrived, and a server on the same loop was busy with it."""
    server = Server(20.0, 5.0, takes=None).to(20.0)
    server.virtual.sleep(7.0)
    assert lost(server.to(28.9)) == []
    assert lost(server.to(60.0)) == [(29.0, 5.0)]


# Probes


@pytest.mark.parametrize(
    ("interval", "timeout", "within"),
    [(20.0, 20.0, 5.0), (None, 20.0, 5.0), (20.0, None, 5.0), (None, None, 5.0), (20.0, 0.5, 0.5), (None, 0.5, 0.5)],
)
def test_a_probe_asks_at_once_and_waits_no_longer_than_usual(
    interval: float | None, timeout: float | None, within: float
) -> None:
    """Also where there are no pings, or where a pong may take for ever."""
    server = Server(interval, timeout, takes=None).to(7.0)
    server.keepalive.probe(5.0)
    server.to(100.0)
    assert (server.pinged, lost(server)) == ([7.0], [(7.0 + within, within)])


@pytest.mark.parametrize("interval", [20.0, None])
@pytest.mark.parametrize("timeout", [30.0, None])
def test_a_probe_that_is_answered_changes_nothing(interval: float | None, timeout: float | None) -> None:
    """Pings go on as before, and have the time that they had before."""
    server = Server(interval, timeout, takes=4.0).to(7.0)
    server.keepalive.probe(5.0)
    server.to(12.0)
    assert (server.pinged, server.lost, server.keepalive.latency) == ([7.0], [], 4.0)
    server.takes = 29.0
    server.to(90.0)
    usual = [31.0, 80.0] if timeout is not None else [31.0, 51.0, 71.0]
    assert (server.pinged[1:], server.lost) == (usual if interval else [], [])


def test_a_probe_while_a_pong_is_waited_for_asks_anew() -> None:
    """The pong before it proves nothing about now: it may have been on its way since before the sleep."""
    server = Server(20.0, 20.0, takes=None).to(22.0)
    server.keepalive.probe(5.0)
    server.answer(0)
    assert (server.pinged, lost(server.to(100.0))) == ([20.0, 22.0], [(27.0, 5.0)])


def test_two_probes_are_one_question() -> None:
    """The last one's answer counts."""
    server = Server(None, None, takes=None).to(1.0)
    server.keepalive.probe(5.0)
    server.to(3.0)
    server.keepalive.probe(5.0)
    server.to(7.5)
    server.answer()
    assert (server.pinged, lost(server.to(100.0))) == ([1.0, 3.0], [])


def test_a_probe_that_a_limit_holds_back_is_waited_for_from_when_it_leaves() -> None:
    """Five seconds are the answer's, not the limit's."""
    server = Server(None, None, takes=4.0, held=60.0).to(1.0)
    server.keepalive.probe(5.0)
    assert (server.to(500.0).lost, server.pinged) == ([], [61.0])


# Pauses


def test_while_it_is_paused_nothing_is_asked_and_nothing_missed() -> None:
    """Afterwards it goes on."""
    server = Server(20.0, 5.0, takes=None).to(22.0)
    server.keepalive.pause()
    server.to(1000.0)
    assert (server.pinged, server.lost) == ([20.0], [])
    server.takes = 1.0
    server.keepalive.resume()
    assert (server.to(1050.0).pinged, server.lost) == ([20.0, 1020.0, 1041.0], [])


def test_a_probe_while_it_is_paused_follows_the_pause() -> None:
    """No pong could be read before; the other side may have gone all the same."""
    server = Server(None, None, takes=None).to(1.0)
    server.keepalive.pause()
    server.keepalive.probe(5.0)
    assert (server.to(60.0).pinged, server.lost) == ([], [])
    server.keepalive.resume()
    assert (server.to(100.0).pinged, lost(server)) == ([60.0], [(65.0, 5.0)])


def test_a_pause_while_a_probe_is_not_answered_yet_begins_it_anew() -> None:
    """The answer may lie unread."""
    server = Server(20.0, 20.0, takes=None).to(1.0)
    server.keepalive.probe(5.0)
    server.to(3.0)
    server.keepalive.pause()
    server.to(50.0)
    server.keepalive.resume()
    assert (server.pinged, lost(server.to(100.0))) == ([1.0, 50.0], [(55.0, 5.0)])


def test_a_ping_that_leaves_in_a_pause_is_not_waited_for() -> None:
    """A limit let it go then; the next one comes in its time."""
    server = Server(20.0, 5.0, takes=1.0, held=10.0).to(21.0)
    server.keepalive.pause()
    server.to(60.0)
    assert (server.pinged, server.lost) == ([30.0], [])
    server.keepalive.resume()
    assert (server.to(95.0).pinged, server.lost) == ([30.0, 90.0], [])


def test_disposed_it_asks_nothing_more(monkeypatch: Any) -> None:
    """Whatever comes afterwards."""
    server = Server(20.0, 5.0, takes=1.0).to(20.0)
    server.keepalive.dispose()
    server.to(100.0)
    server.answer()
    assert (server.to(200.0).pinged, server.lost) == ([20.0], [])
