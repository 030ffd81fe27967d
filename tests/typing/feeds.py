"""What type checkers see of feeds: this file is only checked, never run."""

from __future__ import annotations

from typing import assert_type

from reactivex import Observable

import rxws
from rxws import operators as wsops
from rxws import venue_observable
from rxws.events import Event, Gap, TopicStatus
from rxws.exchanges import binance_usdm, okx
from rxws.feed import Feed, SharedFeed
from rxws.feeds import binance, deribit
from rxws.market import BookDelta, BookSnapshot, Candle, MarketEvent, Quote, Ticker, Trade
from rxws.operators.fresh import Leg
from rxws.orderbook import OrderBook
from rxws.venue import Snapshots

assert_type(binance, Feed)
assert_type(binance.trades("BTCUSDT"), Observable[Trade])
assert_type(binance.trades("BTCUSDT", lifecycle=True), Observable[Trade | Event])
assert_type(binance.quotes("BTCUSDT"), Observable[Quote])
assert_type(binance.ticker("BTCUSDT"), Observable[Ticker])
assert_type(binance.candles("BTCUSDT", "1m"), Observable[Candle])
assert_type(binance.candles("BTCUSDT", "1m", lifecycle=True), Observable[Candle | Event])
assert_type(deribit.book_events("BTC-PERPETUAL"), Observable[BookSnapshot | BookDelta])
assert_type(deribit.book("BTC-PERPETUAL"), Observable[OrderBook])
assert_type(deribit.book("BTC-PERPETUAL", lifecycle=True), Observable[OrderBook | Event])
assert_type(deribit.configured(base="wss://test.deribit.com", transport="picows"), Feed)

shared = deribit.shared(linger=1.0)
assert_type(shared, SharedFeed)
assert_type(shared.quotes("BTC-PERPETUAL"), Observable[Quote])
assert_type(shared.multiplex.status("quote.BTC-PERPETUAL"), TopicStatus | None)

legs = binance.quotes("BTCUSDT", lifecycle=True).pipe(wsops.fresh(5.0))
assert_type(legs, Observable[Leg[Quote]])

topics = rxws.Topics([okx.trades("BTC-USDT")])
assert_type(rxws.venue_observable(okx, topics), Observable[MarketEvent])
assert_type(rxws.venue_observable(okx, topics, lifecycle=True), Observable[MarketEvent | Event])
mux = rxws.multiplex(binance_usdm)
assert_type(mux["btcusdt@aggTrade"], Observable[MarketEvent])
assert_type(mux.observe("btcusdt@aggTrade", lifecycle=True), Observable[MarketEvent | Event])

checked = venue_observable(binance_usdm, ["btcusdt@aggTrade"]).pipe(wsops.detect_gaps(binance_usdm.TRADE_RULE))
assert_type(checked, Observable[MarketEvent | Gap])
assert_type(binance_usdm.SNAPSHOTS, Snapshots)
