"""What venues share."""

from __future__ import annotations

from dataclasses import MISSING, FrozenInstanceError, fields, replace
from decimal import Decimal
from typing import Any

import pytest

from rxws.market import Candle

CANDLE = Candle(
    venue="binance",
    symbol="BTCUSDT",
    interval="1m",
    open_ns=1_700_000_040_000_000_000,
    close_ns=1_700_000_100_000_000_000,
    open=Decimal("61250.10"),
    high=Decimal("61260"),
    low=Decimal("61240"),
    close=Decimal("61255.5"),
    volume=Decimal("12.345"),
    closed=False,
    time_ns=1_700_000_050_000_000_000,
    arrival_ns=1_700_000_050_020_000_000,
)


def test_a_candle_is_a_frozen_value() -> None:
    """Two with the same fields are the same, also in a set, and no field changes or is added."""
    assert {replace(CANDLE), CANDLE} == {CANDLE}
    assert replace(CANDLE, closed=True) != CANDLE
    for field in fields(CANDLE):
        with pytest.raises(FrozenInstanceError):
            setattr(CANDLE, field.name, None)
    assert not hasattr(CANDLE, "__dict__")


def test_a_candle_is_given_whole_and_by_name() -> None:
    """No field has a default, so that a venue cannot forget one, and none is told by its place."""
    kind: Any = Candle

    assert [
        field.name for field in fields(Candle) if (field.default, field.default_factory) != (MISSING, MISSING)
    ] == []
    with pytest.raises(TypeError):
        kind(*(getattr(CANDLE, field.name) for field in fields(Candle)))


def test_a_candles_prices_are_exact() -> None:
    """Decimals keep the venue's digits, where a float would not."""
    assert CANDLE.high - CANDLE.open == Decimal("9.90")
    assert str(CANDLE.open) == "61250.10"
