"""The words that venues share are values, and say by default as little as they may."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from rxws.exchanges import binance
from rxws.limits import SendLimit
from rxws.venue import Frame, Heartbeat, Kind, Rate, Reply, Request, Rules

REQUEST = Request(1, "subscribe", ("a",), "{}")
RULES: dict[str, Any] = {
    "send": SendLimit(5),
    "topics": None,
    "batch": 1,
    "dials": None,
    "first_subscribe": None,
    "max_age": None,
    "silence": None,
}
VALUES = [
    (REQUEST, "topics"),
    (Reply(REQUEST), "confirmed"),
    (Heartbeat(25.0, "ping"), "every"),
    (Rate(3, 1.0), "count"),
    (Rules(**RULES), "batch"),
    (binance.SNAPSHOTS, "url"),
]


@pytest.mark.parametrize(("value", "field"), VALUES, ids=lambda value: type(value).__name__)
def test_a_word_is_a_frozen_value(value: Any, field: str) -> None:
    """Compared by what it says, without room for more."""
    assert value == type(value)(**{name: getattr(value, name) for name in value.__slots__})
    with pytest.raises(FrozenInstanceError):
        setattr(value, field, 0)
    assert not hasattr(value, "__dict__")


def test_what_is_not_said_is_nothing() -> None:
    """No topic, no end, no answer; nobody confirmed, rejected or innocent; no limit and no spacing."""
    assert Frame(Kind.UNKNOWN) == (Kind.UNKNOWN, None, False, None, None)
    reply = Reply(REQUEST)
    assert (reply.confirmed, reply.rejected, reply.innocent, reply.problem) == ((), (), (), "")
    assert Rules(**RULES).batch_bytes is None
    assert Rate(3, 1.0).spacing == 0.0


def test_rules_are_given_by_name_and_none_is_left_out() -> None:
    """A venue says of each limit that it has none, or which."""
    for name in RULES:
        with pytest.raises(TypeError, match=name):
            Rules(**{other: value for other, value in RULES.items() if other != name})


def test_the_kinds_are_six() -> None:
    """What a message may be, by the words that are told."""
    assert {kind.name: kind.value for kind in Kind} == {
        name: name.lower() for name in ("DATA", "ACKNOWLEDGEMENT", "ERROR", "HEARTBEAT", "NOTICE", "UNKNOWN")
    }
