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
# # Windows and reconnects
#
# No connection lives for ever. Some end on us: the exchange restarts, a cable is cut, a message
# never comes. Others we end ourselves: nobody trades at night, or the exchange allows a day and
# no more. In this notebook all of that happens on purpose, and we watch it in a chart.
#
# The exchange is a small one on this machine. On so short a road a message takes no time at all,
# and there would be little to see; so its clock is late, now more and now less, as if each
# message had come a long way.

# %%
import time
from math import sin

from rxws.testing import SimulatedExchange, random_walk


def late_clock():
    return time.time_ns() - round(1e6 * (50 + 20 * sin(time.time())))


exchange = SimulatedExchange(random_walk("btcusdt"), now_ns=late_clock)
await exchange.start()

trades = exchange.url + "/ws/btcusdt@aggTrade"
# trades = "wss://stream.binance.com:9443/ws/btcusdt@aggTrade"      # the real one

# %% [markdown]
# ## How long was it under way?
#
# Each message says when the exchange sent it: "E", in milliseconds. What our own clock says
# beyond that is how long it was under way, its *latency*.


# %%
def latency(message):
    return time.time() * 1000 - message["E"]


# %% [markdown]
# Now a stream with three habits. When it loses its connection, it waits for half a second and
# dials again (`retry`). When nothing comes for a second, it takes the connection for dead,
# whatever the connection says (`idle_timeout`). And it tells of its life (`events`), here to a
# `Subject`: that is a stream which we can feed, and to which others listen.

# %%
from reactivex import Subject
from rxws import Backoff, ws_observable

life = Subject()
stream = ws_observable(trades, retry=Backoff.fixed(0.5), idle_timeout=1.0, events=life)

# %% [markdown]
# First the chart. It subscribes to the stream, and the line begins.

# %%
from reactivex import operators as ops
from rxws.notebook import live_plot, live_table

chart = live_plot({"latency (ms)": stream.pipe(ops.map(latency))}, title="under way")
chart

# %% [markdown]
# And a table, in which each connection that ends has a row: how long it had lasted, and why it
# did not last longer. It is empty, for the first one is alive.

# %%
from rxws.events import Closed


def is_end(event):
    return isinstance(event, Closed)


def row(closed):
    return {
        "connection": closed.generation,
        "lasted (s)": round(closed.uptime, 1),
        "ended by": closed.reason.name,
    }


ends = live_table(life.pipe(ops.filter(is_end), ops.map(row)), title="how they ended")
ends

# %% [markdown]
# ## What ends on us
#
# We give it a second. Then the exchange restarts: it says so (1012 is the word for a restart
# among WebSockets), and closes. It answers with how many connections it has closed.

# %%
import asyncio

await asyncio.sleep(1.2)
exchange.close(1012, "restart")

# %% [markdown]
# Look up at the chart: a red stretch begins where the connection ended. The bar says why, and
# when the next attempt comes; there the stretch ends, and the line goes on. Nobody had to do
# anything for that.
#
# Next the network breaks. Nobody says goodbye; half a message arrives, and then nothing but an
# error.

# %%
await asyncio.sleep(1.2)
exchange.reset()

# %% [markdown]
# The third is the worst: the connection stays open, and nothing comes any more. The line simply
# stops. A program that waits for an error would wait for ever. Ours waits for a second.

# %%
await asyncio.sleep(1.2)
exchange.stall()
await asyncio.sleep(2.2)

chart.stop()
ends.stop()

# %% [markdown]
# We have stopped both, and what they leave is a picture: three red stretches, each with its
# reason, and before the third the second in which we had not noticed yet. In the table the last
# row is our own doing.
#
# ## What we end ourselves
#
# A stretch of time in which we want to be connected is a *window*. Of the four hours of a candle,
# say, only the last two minutes matter to us, and half a minute more to hear how it ended:

# %%
from datetime import UTC, datetime

from rxws.windows import candles

near_the_close = candles("4h", connect_before=120, disconnect_after=30)

nine_o_clock = datetime(2026, 7, 8, 9, 0, tzinfo=UTC)
near_the_close.next_change(nine_o_clock).strftime("at 09:00 it is closed, at %H:%M it opens")

# %% [markdown]
# Four hours are long. For this notebook we take a window that is open for the first second of
# every two. `connect_while` keeps the stream to it.

# %%
from rxws.windows import every

planned = ws_observable(trades, connect_while=every(2, open_for=1), check_interval=0.1)
chart = live_plot({"latency (ms)": planned.pipe(ops.map(latency))}, title="every other second")
await chart.wait(5)

# %% [markdown]
# These stretches are grey: they were planned, and nothing is wrong. `retry` had no part in it,
# and no alarm should ring. The difference goes through all of rxws: what ends on us is an
# *error*, what we end is a *completion*.
#
# ## A change of horses
#
# Some ends are planned and still unwelcome. Binance closes every connection after a day; whoever
# reconnects then has a gap, however short. With a `Rotation` there is none: the next connection
# is opened, and seen to deliver, before the old one is closed. `key` is the number by which a
# trade is known ("a"), so that none comes twice while both are open. This one changes horses
# twice a second.

# %%
from rxws import Rotation, Stats


def number(message):
    return message["a"]


stats = Stats()
numbers = []
rotating = ws_observable(trades, rotate=Rotation(0.5, key=number), stats=stats)
subscription = rotating.pipe(ops.map(number)).subscribe(numbers.append)

while stats.connects < 4:
    await asyncio.sleep(0.05)
subscription.dispose()

# %% [markdown]
# That was the fourth connection. And the trades? Those that are missing, and whether each came
# once and in its order:

# %%
sorted(set(range(numbers[0], numbers[-1] + 1)) - set(numbers)), numbers == sorted(set(numbers))

# %%
await exchange.stop()

# %% [markdown]
# What comes over such a connection can be drawn as traders draw it: that is [the next
# notebook](03_live_candles.ipynb).
