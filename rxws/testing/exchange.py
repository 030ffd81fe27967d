"""A simulated exchange: a real server on loopback that speaks like one of five venues.

It plays recorded Binance data, or makes up a market with true books. It misbehaves on order, so that
you can test what your own program does when a venue closes, resets, stalls, bans, floods, or loses a
message.

>>> import asyncio, json
>>> from websockets.asyncio.client import connect
>>> async def main():
...     async with SimulatedExchange("usdm", rate=None) as exchange:
...         async with connect(exchange.combined_url("sushiusdt@aggTrade")) as client:
...             exchange.burst(2)
...             first, second = [json.loads(await client.recv()) for _ in range(2)]
...             exchange.close(1012, "restart")
...             await client.wait_closed()
...     return first["stream"], first["n"], second["n"], client.close_code
>>> asyncio.run(main())
('sushiusdt@aggTrade', 1, 2, 1012)

Another venue, and a market that is made up:

>>> async def main():
...     async with SimulatedExchange("deribit", rate=None) as exchange:
...         async with connect(exchange.endpoint()) as client:
...             channels = {"channels": ["book.BTC-PERPETUAL.100ms"]}
...             request = {"jsonrpc": "2.0", "id": 1, "method": "public/subscribe", "params": channels}
...             await client.send(json.dumps(request))
...             ack, snapshot = [json.loads(await client.recv()) for _ in range(2)]
...             exchange.drop_messages()
...             exchange.burst(3)
...             changes = [json.loads(await client.recv())["params"]["data"] for _ in range(2)]
...     links = [changes[0]["prev_change_id"] == snapshot["params"]["data"]["change_id"]]
...     links.append(changes[1]["prev_change_id"] == changes[0]["change_id"])
...     return ack["result"], links, len(exchange.dropped)
>>> asyncio.run(main())
(['book.BTC-PERPETUAL.100ms'], [False, True], 1)
"""

from __future__ import annotations

import random as chance
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Self

from rxws.errors import ConfigError
from rxws.testing._accounts import Accounts
from rxws.testing._addresses import Addresses
from rxws.testing._clock import Clock, LoopClock, ManualClock
from rxws.testing._connection import VenueConnection
from rxws.testing._faults import LiveFaults, Malformed
from rxws.testing._feed import Frames
from rxws.testing._handshakes import HandshakeFaults
from rxws.testing._ledger import ConnectionRecord, Gap, Ledger
from rxws.testing._limits import Limits
from rxws.testing._listener import Listener
from rxws.testing._protocols.choice import VenueName, default_limits, protocol_of
from rxws.testing._protocols.generated import Quirk
from rxws.testing._schedule import Schedule, Step
from rxws.testing._stream_faults import StreamFaults
from rxws.testing._tampering import Ack, Dropped, Tampering
from rxws.testing._ticker import Ticker
from rxws.testing._truth import TrueBook, Truth
from rxws.testing._venue import Venue

__all__ = [
    "Ack",
    "ConnectionRecord",
    "Dropped",
    "Gap",
    "Limits",
    "Malformed",
    "ManualClock",
    "Quirk",
    "SimulatedExchange",
    "Step",
    "TrueBook",
    "VenueName",
]


class SimulatedExchange(LiveFaults, StreamFaults, HandshakeFaults, Accounts, Truth, Addresses, Schedule):
    """A venue of your own, on loopback.

    It speaks Binance's protocol (`/ws`, `/stream`, SUBSCRIBE and its kin, its limits) and plays a
    recording for ever, its times shifted to now; or it speaks one of five venues' protocols, and
    makes up a market for it. The market goes on whether or not somebody is connected. Each message
    has a number. Those of a recording carry it, `n`: beside `stream` and `data` in a combined frame,
    within the data of a raw one, in place of an `n` of its own. Generated ones are as the venue's own.

    Args:
        frames: a venue whose market is made up: "binance", "binance_usdm", "deribit", "okx" or
            "coinbase_exchange". Or what is played: "spot" or "usdm" (Binance, recorded in 2021:
            klines, aggregate trades and book tickers), or combined frames of your own in their
            order, each `{"stream": …, "data": {…}}`.
        streams: which streams of a recording are played; None: all. A generated market tells
            whatever somebody subscribes to.
        rate: messages a second, of all streams together; None: nothing happens but what `burst` and
            `fragment` order, so that a test is master of every message. A generated market shares
            them among the topics that somebody has subscribed to.
        candle: how long a candle lasts, in seconds, 0.001 or more, whatever its interval is called;
            None: as it is called.
        symbols: of a generated market what is traded, as the venue writes it, such as
            `["BTC-PERPETUAL"]`; None: the two that everybody knows. Of a recording, recorded
            symbols to the ones that they are played as, such as `{"nknusdt": "btcusdt"}`; `streams`
            then has the new ones; None: as they were recorded.
        limits: what the venue does not put up with; None: `Limits.of` the venue.
        host: the address to listen on.
        port: the port; 0: the system chooses one.
        history: how many numbers each `ConnectionRecord` keeps, 0 or more. Counts do not depend on
            it.
        clock: monotonic time in seconds and timers, for the rate, the limits and `play`, such as a
            `ManualClock`; None: the running loop.
        now_ns: the wall clock in nanoseconds, by which the market's times are told.
        random: chance, uniform in [0, 1), for `Limits.max_age_jitter`.
        seed: what decides in a generated market, and with `drop_rate`: the same one, the same
            subscriptions and the same orders make the same messages.
        levels: how many levels a side of a generated book has, about, 4 to 250,000; of OKX 400 at
            most. 210,000 make a snapshot of Coinbase that is larger than 10 MiB.
        drop_rate: the share of messages, 0 to 1, that their subscribers are not told of; see
            `drop_messages`.
        checksums: whether OKX's `books` has real checksums, as until June 2026; today it has 0.
        quirks: what a generated market always does, though venues do it seldom: "exponents", numbers
            of Deribit as `6.125e4`; "big_ids", ids beyond 2**53; "unknown_fields", fields that no
            client knows; "bare_errors", errors of Binance without a wrapper and an id.

    Raises:
        ConfigError: an argument is out of its range, or nothing would be played.

    The faults are methods; one that acts on open connections returns how many there were. A script
    of them is a list:

    >>> import asyncio
    >>> async def main():
    ...     async with SimulatedExchange("spot", rate=200) as exchange:
    ...         script = [(0.0, exchange.reset), (0.01, exchange.stall), (0.02, exchange.close)]
    ...         await exchange.play(script)
    ...         return exchange.handshakes_accepted
    >>> asyncio.run(main())
    0
    """

    def __init__(
        self,
        frames: Frames | VenueName = "spot",
        *,
        streams: Collection[str] | None = None,
        rate: float | None = 50.0,
        candle: float | None = None,
        symbols: Mapping[str, str] | Sequence[str] | None = None,
        limits: Limits | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        history: int = 10_000,
        clock: Clock | None = None,
        now_ns: Callable[[], int] = time.time_ns,
        random: Callable[[], float] = chance.random,
        seed: int = 1,
        levels: int = 100,
        drop_rate: float = 0.0,
        checksums: bool = False,
        quirks: Collection[Quirk] = (),
    ) -> None:
        if rate is not None and rate <= 0:
            raise ConfigError("rate", f"{rate} is too slow; take more than 0, or None for by hand")
        if history < 0:
            raise ConfigError("history", f"{history} is too few; take 0 or more")
        if not 0.0 <= drop_rate <= 1.0:
            raise ConfigError("drop_rate", f"{drop_rate} is a share; take 0 to 1")
        limits = default_limits(frames) if limits is None else limits
        protocol = protocol_of(
            frames,
            streams=streams,
            candle=candle,
            symbols=symbols,
            seed=seed,
            levels=levels,
            quirks=quirks,
            checksums=checksums,
            limits=limits,
        )
        self._ledger = Ledger(history)
        self._clock = LoopClock() if clock is None else clock
        tampering = Tampering(drop_rate, chance.Random(seed).random)
        self._venue = Venue(protocol, limits, self._ledger, tampering, self._clock, now_ns, random)
        self._venue.on_change = self.changed
        connection = VenueConnection.at(self._venue)
        self._listener = Listener(host, port, connection, self._venue.handshake, self._venue.serve)
        self._ticker = None if rate is None else Ticker(rate, self._venue.produce, self._clock)
        Schedule.__init__(self, self._clock)

    async def start(self) -> None:
        """Listen, and let the market begin. `async with` does it.

        Raises:
            RuntimeError: it runs already.
            OSError: the address or the port cannot be had.
        """
        if self._running:
            raise RuntimeError("the exchange runs already; stop it first")
        self._venue.closed = False
        await self._listener.open()
        self._running = True
        if self._ticker is not None:
            self._ticker.start()

    async def stop(self) -> None:
        """End all connections, with 1001 where they are open, and listen no more.

        No task, socket or timer is left; what was counted can still be read. Started again, it
        listens on the same port. `async with` does it.
        """
        if not self._running:
            return
        self._running = False
        self._venue.closed = True
        if self._ticker is not None:
            self._ticker.stop()
        self.give_up_waiting()
        for connection in tuple(self._venue.connections):
            connection.hang_up()
        await self._listener.stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
