"""Only klines whose candle is closed pass."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import reactivex as rx

from rxws.operators import closed_kline
from tests.operators.klines import NO_KLINES, candle, klines


def passed(value: Any) -> list[Any]:
    """Return what of it passes, or the error."""
    heard: list[Any] = []
    rx.of(value).pipe(closed_kline).subscribe(heard.append, heard.append)
    return heard


@pytest.mark.parametrize("shape", klines(True))
def test_a_closed_kline_passes_as_it_is_and_a_growing_one_does_not(shape: str) -> None:
    """In every shape."""
    kline = klines(True)[shape]
    [heard] = passed(kline)
    assert heard is kline
    assert passed(klines(False)[shape]) == []


@pytest.mark.parametrize("value", NO_KLINES.values(), ids=NO_KLINES)
def test_what_is_no_kline_is_left_out(value: Any) -> None:
    """Whatever it is, without an error."""
    assert passed(value) == []


@pytest.mark.parametrize(
    "value",
    [{"e": "kline"}, {"e": "kline", "k": None}, {"e": "kline", "k": {}}, SimpleNamespace(e="kline"), candle(None)],
    ids=["no k", "k is None", "no x", "an object without k", "a candle that does not say"],
)
def test_a_kline_that_does_not_say_so_is_not_closed(value: Any) -> None:
    """What is unknown counts as still growing."""
    assert passed(value) == []
