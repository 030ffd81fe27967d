"""What venues share."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, get_args

import msgspec
import pytest

from rxws import market
from rxws.market import BookDelta, BookSnapshot, Candle, LastTrade, MarketEvent, Quote, Ticker, Trade

PRICE = Decimal("61250.10")
COMMON: dict[str, Any] = {"venue": "binance", "symbol": "BTCUSDT", "time_ns": 1_700_000_050_000_000_000}
TOP: dict[str, Any] = {"bid": PRICE, "bid_size": PRICE, "ask": None, "ask_size": None}
EVENTS: tuple[MarketEvent, ...] = (
    Trade(**COMMON, price=PRICE, size=Decimal("0.10"), side="buy", id="a1"),
    LastTrade(**COMMON, sequence=7),
    Quote(**COMMON, **TOP),
    Ticker(**COMMON, **TOP, last=PRICE, open=None, high=PRICE, low=None, volume=Decimal(7)),
    Candle(
        **COMMON,
        interval="1m",
        open_ns=1_700_000_040_000_000_000,
        close_ns=1_700_000_100_000_000_000,
        open=PRICE,
        high=Decimal("61260"),
        low=Decimal("61240"),
        close=Decimal("61255.5"),
        volume=Decimal("12.345"),
        closed=False,
    ),
    BookSnapshot(**COMMON, bids=((PRICE, Decimal(1)),), asks=()),
    BookDelta(**COMMON, bids=(), asks=((PRICE, Decimal(0)),), sequence=8, previous=7),
)
EACH = pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)


@EACH
def test_an_event_is_a_frozen_value(event: MarketEvent) -> None:
    """Two with the same fields are the same, also in a set, and no field changes or is added."""
    same = msgspec.structs.replace(event)

    assert {event, same} == {event}
    assert msgspec.structs.replace(event, symbol="ETHUSDT") != event
    for field in event.__struct_fields__:
        with pytest.raises(AttributeError):
            setattr(event, field, None)
    with pytest.raises(AttributeError):
        event.note = "x"  # type: ignore[union-attr]


@EACH
def test_an_event_is_given_by_name(event: MarketEvent) -> None:
    """None of its fields is told by its place, and what says whose it is has no default."""
    kind: Any = type(event)
    values = msgspec.structs.asdict(event)

    with pytest.raises(TypeError):
        kind(*values.values())
    for needed in ("venue", "symbol"):
        with pytest.raises(TypeError, match=needed):
            kind(**{name: value for name, value in values.items() if name != needed})


@EACH
def test_nobody_needs_to_have_noted_when_an_event_arrived(event: MarketEvent) -> None:
    """The venue's time and ours are two fields."""
    assert event.arrival_ns is None
    assert msgspec.structs.replace(event, arrival_ns=1).arrival_ns == 1
    assert event.time_ns == COMMON["time_ns"]


def test_every_kind_of_event_is_one_of_the_union_and_in_these_tests() -> None:
    """So that no kind goes untested."""
    kinds = {kind for kind in vars(market).values() if isinstance(kind, type) and issubclass(kind, msgspec.Struct)}

    assert kinds == set(get_args(MarketEvent)) == {type(event) for event in EVENTS}


def test_prices_are_exact() -> None:
    """Decimals keep the venue's digits, where a float would not."""
    candle = next(event for event in EVENTS if isinstance(event, Candle))

    assert candle.high - candle.open == Decimal("9.90")
    assert str(candle.open) == "61250.10"
