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
# # Test your own program
#
# A program that listens to an exchange works on the day it is written. Whether it works on the
# day when the exchange restarts in the middle of the night, nobody knows, and nobody wants to sit
# up and wait for it. This notebook shows two ways of not waiting: time that we turn ourselves,
# and an exchange that fails when it is told to.
#
# ## A program
#
# Here is a small one: it follows a price, and says `None` when the price is not to be trusted any
# more, because the connection is lost or has been silent for two seconds.

# %%
from reactivex import operators as ops
from rxws import Backoff, ws_observable
from rxws.events import Closed


def price(value):
    return None if isinstance(value, Closed) else float(value["p"])


def trusted_price(url, **options):
    stream = ws_observable(
        url, lifecycle=True, idle_timeout=2.0, retry=Backoff.fixed(3.0), **options
    )
    is_told = ops.filter(lambda value: isinstance(value, dict | Closed))
    return stream.pipe(is_told, ops.map(price))


# %% [markdown]
# One thing in it was done for the test: the address comes from outside, and so do further
# options. In use it is called with the exchange:

# %%
stream = trusted_price("wss://stream.binance.com:9443/ws/btcusdt@aggTrade")

# %% [markdown]
# Nothing has happened yet, as always: it is a description.
#
# ## Time that we turn ourselves
#
# A `ScriptedTransport` stands where the network would be, and plays a script. Each `Attempt` is
# one connection: what comes when, in seconds after it was dialled, and how it ends. This one
# brings a price after one second, and a second one after two; then the exchange restarts. The
# next connection brings a third price.

# %%
from rxws.errors import ConnectionClosed
from rxws.testing import Attempt, ScriptedTransport


def restart():
    return ScriptedTransport(
        Attempt(
            messages=[(1.0, '{"p": "100.0"}'), (2.0, '{"p": "101.0"}')],
            lost=(3.0, ConnectionClosed(1012)),
        ),
        Attempt(messages=[(1.0, '{"p": "102.0"}')]),
    )


# %% [markdown]
# A `TestScheduler` is a clock that stands still until it is told to go on. `advance_to(8)` makes
# eight seconds of it pass at once. We write down what comes, and when.

# %%
from reactivex.testing import TestScheduler


def played(transport, seconds):
    clock, heard = TestScheduler(), []
    prices = trusted_price("ws://exchange.example", transport=transport)
    prices.subscribe(lambda value: heard.append((clock.clock, value)), scheduler=clock)
    clock.advance_to(seconds)
    return heard


played(restart(), 8)

# %% [markdown]
# At three seconds the connection was lost, and the price was `None` at once; three seconds later
# came the next dial, and a second after that a price. Eight seconds, and the cell took none of
# them.
#
# And the silence? Here is a connection that stays open and says nothing after its first price.


# %%
def silence():
    return ScriptedTransport(Attempt(messages=[(1.0, '{"p": "100.0"}')]))


played(silence(), 5)

# %% [markdown]
# Two seconds after the last price it is `None`. So a test is two lines:

# %%
assert played(restart(), 8) == [(1.0, 100.0), (2.0, 101.0), (3.0, None), (7.0, 102.0)]
assert played(silence(), 5) == [(1.0, 100.0), (3.0, None)]

# %% [markdown]
# ## Ten minutes in a moment
#
# Suppose that the exchange is gone for ten minutes. How often do we knock at its door meanwhile?
# It depends on the back-off: how long we wait before the next attempt. A good one waits longer
# and longer, up to a limit, and throws dice about it, so that a thousand programs do not all come
# back in the same second. `refused` is an attempt at a door behind which nobody is; and since
# rxws would warn in the log that nobody opens, we ask it to be quiet.

# %%
import logging
from random import Random

logging.getLogger("rxws").setLevel("ERROR")


def knocks(retry):
    clock, transport = TestScheduler(), ScriptedTransport(Attempt.refused())
    dice = Random(7).random
    stream = ws_observable("ws://exchange.example", transport=transport, retry=retry, random=dice)
    stream.subscribe(scheduler=clock)
    clock.advance_to(600)
    return [dialed.at for dialed in transport.dials]


hasty = knocks(Backoff.fixed(5.0))
patient = knocks(Backoff(initial=1.0, cap=60.0))

len(hasty), len(patient)

# %% [markdown]
# What was counted can be drawn, too: a line takes pairs of a time and a number. We let the ten
# minutes begin at midnight.

# %%
from datetime import UTC, datetime, timedelta

import reactivex as rx
from rxws.notebook import live_plot

midnight = datetime(2026, 7, 8, tzinfo=UTC)


def counted(times):
    points = [
        (midnight + timedelta(seconds=at), count) for count, at in enumerate(times, start=1)
    ]
    return rx.from_iterable(points)


lines = {"every five seconds": counted(hasty), "longer and longer": counted(patient)}
chart = live_plot(lines, title="knocks", window=None)
await chart.wait()
chart.status

# %% [markdown]
# The chart is complete: its streams have ended, so it has too.
#
# ## An exchange that fails on order
#
# A script knows only what we thought of. For the rest there is the simulated exchange of the
# other notebooks: a real server, real sockets, real time. Its markets number what they tell
# ("n"), so that a test can see whether something is missing or came twice.

# %%
import rxws
from rxws.testing import SimulatedExchange, random_walk


async def survives(fault):
    async with SimulatedExchange(random_walk("btcusdt"), rate=300) as exchange:
        url = exchange.combined_url("btcusdt@aggTrade")
        stream = ws_observable(url, retry=Backoff.fixed(0.05), idle_timeout=0.5)
        numbers = []
        async with rxws.aiter(stream) as messages:
            async for message in messages:
                numbers.append(message["n"])
                if len(numbers) == 10:
                    getattr(exchange, fault)()
                if len(numbers) == 20:
                    break
        return numbers == sorted(set(numbers)) and exchange.handshakes_accepted >= 2


[await survives(fault) for fault in ("close", "drop", "reset", "stall")]

# %% [markdown]
# Closed, dropped, reset and silent: each time there was a second connection, and no message came
# twice. `drop` ends without a word, `reset` in the middle of one. There are some twenty of them;
# `help(rxws.testing.exchange)` lists them.
#
# ## What is left behind
#
# A last question, which is asked too seldom: when the program has ended, has it really?
# `Leftovers` looks for sockets, timers and tasks that it left behind.

# %%
from rxws.testing import Leftovers

with Leftovers() as leftovers:
    async with SimulatedExchange(random_walk("btcusdt"), rate=300) as exchange:
        prices = trusted_price(exchange.url + "/ws/btcusdt@aggTrade")
        subscription = leftovers.as_client(prices.subscribe)
        await exchange.until(lambda: exchange.handshakes_accepted)
        leftovers.as_client(subscription.dispose)
        found = await leftovers.after_a_while()

found

# %% [markdown]
# Nothing. With pytest all of this is a few lines in a file; [docs/testing.md](../docs/testing.md)
# has them.
