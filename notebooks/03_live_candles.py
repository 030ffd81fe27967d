# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Live candles
#
# Traders do not look at single trades; there are too many. They look at *candles*. A candle
# stands for a stretch of time, a minute say. Its thick part, the body, reaches from the first
# price of that minute to the last one: green when the price went up, red when it went down. The
# thin line, the wick, reaches to the highest and the lowest price.
#
# Here we draw them while they grow. The exchange is a small one on this machine, and since nobody
# wants to wait for a minute, its minutes last a tenth of a second.

# %%
from rxws.testing import SimulatedExchange, random_walk

exchange = SimulatedExchange(random_walk("btcusdt"), candle=0.1, rate=150)
await exchange.start()

venue = exchange.url
# venue = "wss://stream.binance.com:9443"      # the real one: there a minute is a minute

# %% [markdown]
# ## One line
#
# Binance calls a candle a *kline*, and tells each one again and again until it is complete.
# `filter_kline` passes the klines on and drops everything else. What is left is what
# `live_candles` wants.

# %%
from rxws import ws_observable
from rxws.notebook import live_candles
from rxws.operators import filter_kline

market = ws_observable(venue + "/stream?streams=btcusdt@kline_1m/btcusdt@aggTrade")

chart = live_candles(market.pipe(filter_kline))
await chart.wait(4)

# %% [markdown]
# The last candle moved while you looked: it is told anew with each trade, and drawn anew in its
# place. The pale bars at the foot are how much was traded. With the mouse over the chart you read
# the candle below it; the wheel zooms, dragging moves, and a double click goes back to the
# newest.
#
# ## Candles of your own
#
# Some exchanges tell no candles, only trades. And who says that a candle must be a minute? Let
# each stand for five trades: then a busy market draws fast, and a quiet one slowly. First the
# trades alone ("aggTrade"), and then, with `buffer_with_count`, always five of them together.

# %%
from reactivex import operators as ops
from rxws.operators import match, share_live

trades = market.pipe(match({"data": {"e": "aggTrade"}}), share_live())
by_five = trades.pipe(ops.buffer_with_count(5))

# %% [markdown]
# (What `share_live` is for, we shall see in a moment.)
#
# `live_candles` takes anything, as long as it is told how to make a candle of it: when it began,
# then the first, the highest, the lowest and the last price, and how much was traded. "p" is a
# trade's price, "q" its quantity, "T" its time.


# %%
def price(trade):
    return float(trade["data"]["p"])


def candle(five):
    prices = [price(trade) for trade in five]
    volume = sum(float(trade["data"]["q"]) for trade in five)
    return five[0]["data"]["T"], prices[0], max(prices), min(prices), prices[-1], volume


# %% [markdown]
# ## A line through them
#
# The average of the last forty trades is a smoother picture of where the price goes.
# `buffer_with_count(40, 5)` gathers forty, and moves on by five; `map` makes their average. A
# line is given with its name.


# %%
def average(forty):
    return sum(price(trade) for trade in forty) / len(forty)


averages = trades.pipe(ops.buffer_with_count(40, 5), ops.map(average))

chart = live_candles(
    by_five,
    candle=candle,
    lines={"average of 40 trades": averages},
    title="BTCUSDT, five trades a candle",
)
await chart.wait(4)

# %% [markdown]
# Candles and average come of the same trades. A stream is a description, though, and each of the
# two would have opened a connection of its own. That is what `share_live` is for: it lets them
# share one. The exchange has seen one connection for the first chart, and one for this:

# %%
exchange.handshakes_accepted

# %% [markdown]
# ## When it does not fit
#
# And if something comes that is no candle? The chart ends there, and its bar says why. It does
# not guess, and it does not go on as if nothing had happened: it names what is missing, shows the
# value, and says what would help. For programs the same stands in `chart.error`. (`with` starts a
# chart without showing it, and stops it at its end.)

# %%
import asyncio

import reactivex as rx

with live_candles(rx.of({"price": 64_000})) as chart:
    await asyncio.sleep(0.1)

print(chart.error)

# %% [markdown]
# Whatever ends a chart, be it an error, its button, or that nobody has looked at it for ten
# seconds: its connection is closed then.

# %%
len(exchange.live)

# %%
await exchange.stop()

# %% [markdown]
# In your own notebook, run a cell again: its chart begins anew in the place of the old one.
# Reload the page: what you saw is still there. And two exchanges at once? That is [the next
# notebook](04_two_exchanges_merged.ipynb).
