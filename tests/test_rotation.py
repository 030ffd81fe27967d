"""What a rotation is told, and how the values of two connections become one sequence."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from math import inf, nan
from typing import Any

import pytest
import reactivex as rx
from hypothesis import given
from hypothesis import strategies as st

from rxws.errors import ConfigError
from rxws.rotation import Rotation
from rxws.windows import always

# The arguments


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"when": 0.0}, "when"),
        ({"when": -1}, "when"),
        ({"when": inf}, "when"),
        ({"when": nan}, "when"),
        ({"when": True}, "when"),
        ({"when": "24h"}, "when"),
        ({"when": None}, "when"),
        ({"when": 60.0, "unless": "night"}, "unless"),
        ({"when": 60.0, "unless": lambda: True}, "unless"),
        ({"when": 60.0, "overlap": 0.0}, "overlap"),
        ({"when": 60.0, "overlap": None}, "overlap"),
        ({"when": 60.0, "overlap": inf}, "overlap"),
        ({"when": 60.0, "key": "t"}, "key"),
        ({"when": 60.0, "jitter": -0.1}, "jitter"),
        ({"when": 60.0, "jitter": 1.1}, "jitter"),
        ({"when": 60.0, "jitter": nan}, "jitter"),
        ({"when": 60.0, "jitter": True}, "jitter"),
        ({"when": 60.0, "jitter": "10%"}, "jitter"),
    ],
    ids=str,
)
def test_a_wrong_argument_is_refused_by_name(arguments: dict[str, Any], field: str) -> None:
    """With its value, and with what would be right."""
    with pytest.raises(ConfigError) as refused:
        Rotation(**arguments)
    assert refused.value.field == field
    if not callable(arguments[field]):
        assert repr(arguments[field]) in str(refused.value)
    assert "take" in str(refused.value)


@pytest.mark.parametrize("when", [1, 0.001, rx.never(), lambda messages: messages])
def test_what_asks_may_be_seconds_an_observable_or_a_callable(when: Any) -> None:
    """Any positive number, also one shorter than the overlap."""
    rotation = Rotation(when, always(), 5.0, hash, jitter=1)
    assert (rotation.when, rotation.overlap) == (when, 5.0)


def test_a_rotation_is_a_value() -> None:
    """Frozen, and equal to its like."""
    with pytest.raises(FrozenInstanceError):
        Rotation(60.0).when = 30.0  # type: ignore[misc]
    assert Rotation(60.0) == Rotation(60.0, None, 5.0, None, jitter=0.1)


@given(st.floats(0.001, 1e6), st.floats(0.0, 1.0), st.floats(0.0, 1.0, exclude_max=True))
def test_jitter_takes_only_off(when: float, jitter: float, chance: float) -> None:
    """So that no connection gets older than was asked for."""
    assert Rotation(when, jitter=jitter).age(lambda: chance) == when * (1.0 - jitter * chance)


@pytest.mark.parametrize("when", [rx.never(), lambda messages: messages])
def test_without_seconds_no_age_asks(when: Any) -> None:
    """Nor is chance asked for anything."""
    assert Rotation(when).age(lambda: pytest.fail("asked")) == inf
