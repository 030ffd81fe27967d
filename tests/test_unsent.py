"""What becomes of what cannot be sent now: the policies, and what is none."""

from __future__ import annotations

from typing import Any

import pytest

from rxws.errors import ConfigError
from rxws.unsent import Hold, check_unsent


def test_a_hold_is_a_value() -> None:
    """By default a thousand messages, thirty seconds each."""
    assert Hold() == Hold(max=1_000, ttl=30.0)
    assert Hold(1, None) != Hold(1)


@pytest.mark.parametrize("wrong", [0, -1, True, 1.5, None, "10"])
def test_its_bound_is_a_number_of_messages(wrong: Any) -> None:
    """There is no hold without a bound."""
    with pytest.raises(ConfigError, match="take a number of messages, 1 or more") as refused:
        Hold(max=wrong)
    assert refused.value.field == "max"


@pytest.mark.parametrize("wrong", [0, -1.0, float("nan"), float("inf"), True, "30"])
def test_its_time_is_seconds(wrong: Any) -> None:
    """None is for ever."""
    with pytest.raises(ConfigError) as refused:
        Hold(ttl=wrong)
    assert refused.value.field == "ttl"


@pytest.mark.parametrize("policy", ["drop", "fail", Hold()])
def test_there_are_three_policies(policy: Any) -> None:
    """By name, or as a value."""
    check_unsent(policy)


@pytest.mark.parametrize("wrong", ["hold", Hold, None, 0, ["drop"]])
def test_what_is_none_is_refused(wrong: Any) -> None:
    """The error says what there is."""
    with pytest.raises(ConfigError, match=r'take "fail", "drop" or Hold') as refused:
        check_unsent(wrong)
    assert refused.value.field == "unsent"
