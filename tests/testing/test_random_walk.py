"""A market by chance is a market: it can be played for ever, and its candles agree with its trades."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from rxws.errors import ConfigError
from rxws.testing import random_walk
from rxws.testing._feed import Feed


def prices(frames: list[dict[str, Any]]) -> list[float]:
    """What was paid in each trade."""
    return [float(frame["data"]["p"]) for frame in frames if frame["stream"].endswith("@aggTrade")]


def test_the_same_seed_makes_the_same_market_and_another_one_another() -> None:
    """What is shown does not depend on the day."""
    assert random_walk(seed=3) == random_walk(seed=3)
    assert random_walk(seed=3) != random_walk(seed=4)


def test_at_another_price_it_is_the_same_market() -> None:
    """Two venues of one market go up and down together."""
    here, there = prices(random_walk(price=1_000.0, seed=3)), prices(random_walk(price=2_000.0, seed=3))

    assert max(abs(high / low - 2.0) for low, high in zip(here, there, strict=True)) < 1e-4


def test_it_ends_where_it_began_and_moves_by_its_step() -> None:
    """Played anew it does not jump."""
    told = prices(random_walk(price=64_000.0, step=1e-4, trades=2_000))
    moves = [after / before - 1.0 for before, after in pairwise(told)]

    assert told[0] == told[-1] == 64_000.0
    assert 0.9e-4 < (sum(move * move for move in moves) / len(moves)) ** 0.5 < 1.1e-4


def test_played_by_an_exchange_its_candles_and_trades_agree() -> None:
    """A candle closes at the last trade's price, within its own highest and lowest."""
    feed = Feed(random_walk(trades=50), candle=1.0)
    last = ""
    for message in range(450):  # three times all of it
        stream, data = feed.next(1_000_000 + message * 20)
        if stream == "btcusdt@aggTrade":
            last = data["p"]
        elif stream == "btcusdt@kline_1m":
            kline = data["k"]
            assert kline["x"] or kline["c"] == last
            assert float(kline["l"]) <= min(float(kline["o"]), float(kline["c"]))
            assert float(kline["h"]) >= max(float(kline["o"]), float(kline["c"]))
        else:
            assert float(data["b"]) < float(last) < float(data["a"])


WRONG: dict[str, tuple[str, dict[str, Any]]] = {
    "no name": ("symbol", {"symbol": ""}),
    "not in lower case": ("symbol", {"symbol": "BTCUSDT"}),
    "no price": ("price", {"price": 0.0}),
    "not a number": ("price", {"price": float("nan")}),
    "too far a step": ("step", {"step": 0.2}),
    "a step backwards": ("step", {"step": -0.1}),
    "one trade": ("trades", {"trades": 1}),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_makes_no_market_is_named(case: str) -> None:
    """Each argument out of its range is an error that says which."""
    field, arguments = WRONG[case]
    with pytest.raises(ConfigError) as error:
        random_walk(**arguments)
    assert error.value.field == field
