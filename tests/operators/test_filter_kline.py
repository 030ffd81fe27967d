"""Klines pass, in every shape; nothing else does."""

from __future__ import annotations

from typing import Any

import pytest
import reactivex as rx
from reactivex import operators as ops

from rxws.operators import filter_kline
from tests.operators.klines import NO_KLINES, candle, klines


@pytest.mark.parametrize("closed", [True, False], ids=["closed", "growing"])
@pytest.mark.parametrize("shape", klines(True))
def test_a_kline_passes_as_it_is(shape: str, closed: bool) -> None:
    """The very object, closed or not."""
    kline, heard = klines(closed)[shape], []  # type: ignore[var-annotated]
    rx.of(kline).pipe(filter_kline).subscribe(heard.append)
    assert len(heard) == 1
    assert heard[0] is kline


def test_a_candle_that_does_not_say_whether_it_is_closed_passes() -> None:
    """It is a candle."""
    heard: list[Any] = []
    rx.of(candle(None)).pipe(filter_kline).subscribe(heard.append)
    assert len(heard) == 1


@pytest.mark.parametrize("value", NO_KLINES.values(), ids=NO_KLINES)
def test_what_is_no_kline_is_left_out(value: Any) -> None:
    """Whatever it is, without an error."""
    heard: list[Any] = []
    rx.of(value).pipe(filter_kline).subscribe(heard.append, heard.append)
    assert heard == []


def test_it_is_an_operator_itself() -> None:
    """Used without a call, before an operator of the user's; completion passes."""
    heard: list[Any] = []
    frames = rx.of(*klines(False).values(), *NO_KLINES.values(), *klines(True).values())
    frames.pipe(filter_kline, ops.buffer_with_count(4)).subscribe(heard.append, on_completed=lambda: heard.append("|"))
    assert [len(each) for each in heard] == [4, 4, 4, 2, 1]
