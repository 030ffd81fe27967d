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
# # Two exchanges, merged
#
# The same coin is traded in many places, and nowhere at quite the same price. In this notebook we
# listen to two of them: one where bitcoin itself is sold (the *spot* market), and one for
# *futures*, contracts on it, which usually cost a little more. First we put both into one stream;
# then we watch the difference, the *spread*; and then one of the two falls silent, which is when
# many programs begin to lie.
#
# Both are small exchanges on this machine. Their prices go up and down by the same chance, the
# futures forty dollars higher.

# %%
from rxws.testing import SimulatedExchange, random_walk


def exchange(price):
    frames = random_walk("btcusdt", price=price)
    return SimulatedExchange(frames, streams=["btcusdt@aggTrade"], rate=15)


spot_exchange, futures_exchange = exchange(64_000), exchange(64_040)
await spot_exchange.start()
await futures_exchange.start()

venues = spot_exchange.url, futures_exchange.url
# venues = "wss://stream.binance.com:9443", "wss://fstream.binance.com"      # the real ones

spot_url, futures_url = (venue + "/ws/btcusdt@aggTrade" for venue in venues)

# %% [markdown]
# ## Two streams as one
#
# Each exchange is a stream of its own, with a connection of its own, and each comes back by
# itself when it is lost. To both we add where a trade comes from.

# %%
from reactivex import operators as ops
from rxws import ws_observable


def from_venue(name):
    def row(trade):
        return {"venue": name, "price": trade["p"], "quantity": trade["q"]}

    return ops.map(row)


spot_trades = ws_observable(spot_url).pipe(from_venue("spot"))
futures_trades = ws_observable(futures_url).pipe(from_venue("futures"))

# %% [markdown]
# `merge` makes one stream of several: whatever comes in any of them, comes in this one, in the
# order in which it arrives. A table shows it; with `key` each venue has one row, which the next
# trade replaces.

# %%
import reactivex as rx
from rxws.notebook import live_plot, live_table

trades = rx.merge(spot_trades, futures_trades)

table = live_table(trades, key="venue", title="the last trade of each")
await table.wait(2)

# %% [markdown]
# That is all there is to listening to two exchanges, or to ten.
#
# ## The spread
#
# `merge` hands on what comes. For a difference we need something else: whenever one of the two
# prices changes, that price and the latest of the other. `combine_latest` does so.
#
# And here is the trap. "The latest of the other" is a fine thing while both are alive. When one
# falls silent, its latest price grows old, a second, a minute, an hour, and `combine_latest` goes
# on to subtract it. The number looks like a spread. It is none.
#
# So a *leg*, which is one side of a spread, has to say when its price is not to be trusted any
# more. Let `None` stand for that. With `lifecycle=True` the stream tells of its connection too,
# between the trades: `Closed` means that it is gone. And `idle_timeout` sees to it that a
# connection which brings nothing for 0.8 seconds counts as gone.

# %%
from rxws import Backoff
from rxws.events import Closed
from rxws.operators import share_live


def price(value):
    return None if isinstance(value, Closed) else float(value["p"])


def leg(url):
    stream = ws_observable(url, lifecycle=True, idle_timeout=0.8, retry=Backoff.fixed(0.3))
    is_told = ops.filter(lambda value: isinstance(value, dict | Closed))
    return stream.pipe(is_told, ops.map(price), share_live())


spot, futures = leg(spot_url), leg(futures_url)

# %% [markdown]
# (`share_live` lets several listen over one connection; we shall look at these legs twice.) The
# spread is the difference where there are two prices, and else `None`:


# %%
def difference(prices):
    spot_price, futures_price = prices
    if spot_price is None or futures_price is None:
        return None
    return futures_price - spot_price


difference((64_000.0, 64_040.0)), difference((64_000.0, None))

# %%
spread = rx.combine_latest(spot, futures).pipe(ops.map(difference))

# %% [markdown]
# For comparison we build the other one as well, which takes every price for good, however old it
# is.

# %%
is_price = ops.filter(lambda price: price is not None)
prices = rx.combine_latest(spot.pipe(is_price), futures.pipe(is_price))
gullible = prices.pipe(ops.map(difference))

chart = live_plot({"gullible": gullible, "spread": spread}, title="futures - spot")
chart

# %% [markdown]
# ## A dead leg
#
# For a moment all is well, and the two lines are one. Then the futures exchange falls silent,
# with its connection still open; and when we give that up and dial again, nobody is there.

# %%
import asyncio
import logging

# rxws would warn in the log of dials that fail; this once we know.
logging.getLogger("rxws").setLevel("ERROR")

await asyncio.sleep(2)
futures_exchange.stall()
futures_exchange.refuse()

# %% [markdown]
# Two seconds later it is back.

# %%
await asyncio.sleep(2.5)
await futures_exchange.accept()
await asyncio.sleep(1.5)
chart.stop()

# %% [markdown]
# Look at the picture. After the last trade of the futures both lines move on for 0.8 seconds: so
# old may a price be here, that is what we have allowed. Then the connection counts as lost, the
# red stretch begins, and the spread *ends*; it comes back with the first trade of the next
# connection. The gullible one goes on all the while and draws whatever the spot market does,
# upside down. Somebody would have traded on that.
#
# A gap is an honest answer. How to be sure that your own program gives it, without waiting for an
# exchange to fall silent, is the story of [the last notebook](05_test_your_own_program.ipynb).

# %%
await spot_exchange.stop()
await futures_exchange.stop()
