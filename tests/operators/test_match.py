"""OR over the patterns, AND over a pattern's pairs."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest
import reactivex as rx

from rxws.errors import ConfigError
from rxws.operators import match

TRADE = {"e": "trade", "s": "BTCUSDT", "p": "1"}
KLINE = {"e": "kline", "s": "BTCUSDT", "k": {"x": True, "i": "1m"}}
OTHER = {"e": "trade", "s": "ETHUSDT", "p": "2"}
FRAMES = [TRADE, KLINE, OTHER]


def passed(values: list[Any], *patterns: Any) -> list[Any]:
    """Return which of `values` pass."""
    heard: list[Any] = []
    rx.from_iterable(values).pipe(match(*patterns)).subscribe(heard.append)
    return heard


def test_one_of_the_patterns_is_enough() -> None:
    """OR over the patterns."""
    assert passed(FRAMES, {"e": "kline"}, {"s": "ETHUSDT"}) == [KLINE, OTHER]


def test_all_pairs_of_a_pattern_must_fit() -> None:
    """AND over its pairs."""
    assert passed(FRAMES, {"e": "trade", "s": "BTCUSDT"}) == [TRADE]
    assert passed(FRAMES, {"e": "kline", "s": "ETHUSDT"}) == []


def test_a_key_that_is_missing_does_not_fit() -> None:
    """Not even where the pattern wants None."""
    assert passed([{"id": None}, {}], {"id": None}) == [{"id": None}]


def test_a_pattern_within_a_pattern_is_matched_alike() -> None:
    """Its other pairs do not matter; what is no dict there does not fit."""
    assert passed(FRAMES, {"k": {"x": True}}) == [KLINE]
    assert passed(FRAMES, {"k": {"x": False}}) == []
    assert passed([{"k": "text"}, {"k": {"x": True}}, {"k": None}], {"k": {"x": True}}) == [{"k": {"x": True}}]


def test_without_patterns_everything_passes() -> None:
    """Also what is no dict."""
    values = [TRADE, "pong", 5, None]
    assert passed(values) == values


def test_what_is_no_dict_fits_no_pattern() -> None:
    """An empty pattern is a pattern: it takes every dict."""
    assert passed(["pong", 5, None, [1], TRADE], {}) == [TRADE]


def test_any_mapping_is_a_dict() -> None:
    """As pattern and as value; and the very object passes."""
    frozen = MappingProxyType(TRADE)
    assert passed([frozen], MappingProxyType({"e": "trade"}))[0] is frozen


def test_errors_and_completion_pass() -> None:
    """It is a filter and no more."""
    ended: list[object] = []
    error = ValueError()
    for source in (rx.empty(), rx.throw(error)):
        source.pipe(match({"e": "trade"})).subscribe(on_error=ended.append, on_completed=lambda: ended.append("|"))
    assert ended == ["|", error]


@pytest.mark.parametrize("wrong", ["trade", [("e", "trade")], None, 5])
def test_what_is_no_pattern_is_refused(wrong: Any) -> None:
    """When the operator is made, with the value and what would be right."""
    with pytest.raises(ConfigError, match="take dicts") as refused:
        match({"e": "trade"}, wrong)
    assert refused.value.field == "patterns"
    assert repr(wrong) in str(refused.value)
