"""The signals of losses and planned ends, and the journal that tells nobody."""

from __future__ import annotations

import inspect
from dataclasses import FrozenInstanceError, replace
from typing import Any, cast

import pytest

from rxws.errors import ConnectionClosed, DecodeError, IdleTimeout
from rxws.events import DisconnectReason
from rxws.types import Connection, Journal, RepeatSignal, RetrySignal, Silence

LOST = ConnectionClosed(1006)
NO_CONNECTION = cast(Connection, None)


@pytest.mark.parametrize(
    "signal",
    [RetrySignal(LOST, total=12, in_a_row=3, uptime=1.5), RepeatSignal(DisconnectReason.SCHEDULED, 4, 60.0)],
)
def test_a_signal_is_a_frozen_value(signal: Any) -> None:
    """What one policy sees, no other has changed."""
    assert replace(signal) == signal
    assert hash(replace(signal)) == hash(signal)
    assert replace(signal, total=99) != signal
    assert not hasattr(signal, "__dict__")
    with pytest.raises(FrozenInstanceError):
        signal.total = 0


def test_a_planned_end_may_have_no_reason() -> None:
    """A source that merely completes has nobody who said why."""
    assert RepeatSignal(None, 1, 0.0).reason is None


def test_silence_listens_to_all_that_a_journal_is_told() -> None:
    """It has each method of the protocol, with the same arguments."""
    told = {name: member for name, member in vars(Journal).items() if inspect.isfunction(member) and name[0] != "_"}

    assert len(told) > 10
    assert {name: inspect.signature(getattr(Silence, name)).parameters for name in told} == {
        name: inspect.signature(member).parameters for name, member in told.items()
    }


def test_silence_keeps_quiet() -> None:
    """It takes whatever it is told and does nothing; each call of it is one of a first connection."""
    silence = Silence()

    assert silence.connecting("ws://venue.example") == 1
    silence.opened(NO_CONNECTION)
    silence.subscribed(3)
    silence.live(NO_CONNECTION)
    silence.planned(DisconnectReason.SCHEDULED)
    silence.gone()
    silence.late()
    silence.dropped("inbox")
    silence.bad_frame(DecodeError("{"))
    silence.stale(5.0)
    silence.waiting(1.0, "policy")
    assert vars(silence) == {}


def test_silence_sees_to_nothing_that_a_consumer_raised() -> None:
    """So whoever asked reports it."""
    assert Silence().crashed(ValueError("a bug")) is False


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (None, DisconnectReason.USER_REQUESTED),
        (LOST, DisconnectReason.NETWORK_ERROR),
        (IdleTimeout(1.0), DisconnectReason.IDLE_TIMEOUT),
    ],
)
def test_silence_knows_why_a_connection_ended(error: Exception | None, reason: DisconnectReason) -> None:
    """By its error; without one it was the user."""
    assert Silence().closed(error, 1.0, True) is reason
