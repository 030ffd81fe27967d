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
# # The first stream
#
# A market tells its prices over a WebSocket: a connection that stays open, and on which the
# exchange sends a message whenever something happens. This notebook opens one, looks at it, takes
# what it needs out of it, and watches it survive when the connection breaks. It takes for granted
# that you know Python, and nothing else.
#
# So that it runs anywhere, and so that we may break things, the exchange is a small one on this
# machine. Its prices go up and down by chance, but it speaks as Binance does. One line switches
# to the real one.

# %%
from rxws.testing import SimulatedExchange, random_walk

exchange = SimulatedExchange(random_walk("btcusdt", price=64_000))
await exchange.start()

venue = exchange.url
# venue = "wss://stream.binance.com:9443"      # the real one

# %% [markdown]
# ## A stream is a description
#
# `ws_observable` describes a stream of messages: where they come from, and what is to be done
# when that fails. It does not connect. Such a description is called an *observable*; it is
# *cold*, which means that nothing happens until somebody asks for its values.

# %%
from rxws import ws_observable

everything = ws_observable(venue + "/stream?streams=btcusdt@aggTrade/btcusdt@bookTicker")
len(exchange.live)

# %% [markdown]
# Still no connection. To ask for the values is to *subscribe*: we say which function is to be
# called with each of them. Here it is the `append` of a list. The cell ends at once; the values
# come in the background, while the notebook waits for us.

# %%
import asyncio

seen = []
subscription = everything.subscribe(seen.append)

while len(seen) < 20:
    await asyncio.sleep(0.05)

# %% [markdown]
# `await` lets the notebook get on with its other work, the stream among it, until what stands
# behind it is done. Each value is a dictionary: the exchange sends JSON, and `ws_observable`
# decodes it. Here is one that tells of a trade; "p" is the price that was paid, "q" the quantity.

# %%
trade = next(message for message in seen if message["stream"] == "btcusdt@aggTrade")
trade["stream"], list(trade["data"])

# %% [markdown]
# The connection is there now.

# %%
len(exchange.live)

# %% [markdown]
# `dispose` ends the subscription, and closes the connection for good.

# %%
subscription.dispose()
await exchange.until(lambda: not exchange.live)
len(exchange.live)

# %% [markdown]
# ## Operators take what you need
#
# An *operator* makes a new stream of an old one. `match` passes on the messages that look like
# this, and drops the rest; `map` turns each into something else. They are put one behind the
# other with `pipe`.
#
# Of all that the exchange tells we want the trades ("aggTrade"), and of each trade the price.

# %%
from reactivex import operators as ops
from rxws.operators import match


def price(message):
    return float(message["data"]["p"])


prices = everything.pipe(match({"data": {"e": "aggTrade"}}), ops.map(price))

# %% [markdown]
# A stream can be awaited too, where it ends: `take(3)` ends it after three values, and `to_list`
# makes one list of them. (They are rounded here, for the next three will be others.)

# %%
three = await prices.pipe(ops.take(3), ops.to_list())
[round(price, -3) for price in three]

# %% [markdown]
# ## See it
#
# Numbers that change are better looked at. `live_plot` draws streams as lines; give each a name.
# As the last line of a cell the chart shows itself, and that is when it subscribes: from then on
# it moves by itself.

# %%
from rxws.notebook import live_plot

chart = live_plot({"price": prices}, title="Bitcoin, by chance")
chart

# %% [markdown]
# While you look, zoom with the wheel and drag to the side. The button in its bar stops it, and so
# does `chart.stop()`. Here `wait` lets it run for five seconds more and stops it then; a picture
# is what stays.

# %%
await chart.wait(5)
chart.status

# %% [markdown]
# ## What breaks is forgotten
#
# Now we subscribe again, and listen to the life of the connection as well: `events` is called
# with whatever happens to it. `retry` says how long to wait before the next attempt; here not
# long, for we sit and watch.

# %%
from rxws import Backoff, Stats

happened = []
stats = Stats()
values = []
subscription = ws_observable(
    venue + "/stream?streams=btcusdt@aggTrade/btcusdt@bookTicker",
    retry=Backoff(initial=0.1, cap=1.0),
    events=lambda event: happened.append(type(event).__name__),
    stats=stats,
).subscribe(values.append)

while "Live" not in happened:
    await asyncio.sleep(0.05)
happened

# %% [markdown]
# The exchange restarts: it closes the connection with code 1012. And once more, without a word,
# as a network does that drops it.

# %%
exchange.close(1012, "restart")
while happened.count("Live") < 2:
    await asyncio.sleep(0.05)

exchange.reset()
while happened.count("Live") < 3:
    await asyncio.sleep(0.05)

happened

# %% [markdown]
# `Closed`, `Waiting`, `Connecting`, `Opened`: the old connection is forgotten, and the
# description is subscribed anew. The list `values` goes on growing; whoever takes the values need
# not know. The statistics do:

# %%
before = len(values)
while len(values) < before + 10:
    await asyncio.sleep(0.05)

stats.connects, stats.reactive_disconnects, stats.proactive_disconnects

# %% [markdown]
# Three connections, two that were lost, and none that we ended ourselves: how that looks in a
# chart, and why one would end a good connection, is the story of the [next
# notebook](02_windows_and_reconnects.ipynb).
#
# ## To the end
#
# Both are closed, the stream and our exchange. In a script you would write `rxws.run(stream,
# print)` instead of all the waiting; in a notebook a loop runs already, and subscribing is
# enough.

# %%
subscription.dispose()
await exchange.stop()
