"""Every module of a venue is a Venue: read by mypy, never run."""

from collections.abc import Sequence
from typing import assert_type

import rxws
from rxws import operators as wsops
from rxws.exchanges import binance, binance_usdm, coinbase_exchange, deribit, okx
from rxws.market import MarketEvent, Trade
from rxws.orderbook import OrderBook
from rxws.venue import Venue

venues: list[Venue] = [binance, binance_usdm, coinbase_exchange, deribit, okx]
events: Sequence[MarketEvent] = venues[0].decode(b"", 0)
assert_type(venues[0].decode("{}"), list[MarketEvent])
book = OrderBook(checksum=okx.checksum)


def show(event: MarketEvent) -> None:
    """What a user does with an event."""
    if isinstance(event, Trade):
        print(event.price - event.size)


for venue in venues:
    topic = venue.trades(venue.venue_symbol("BTC/USDT"))
    stream = rxws.ws_observable(venue.url([topic]), decode=venue.decode)
    stream.pipe(wsops.flatten()).subscribe(show)
