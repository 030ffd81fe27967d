"""The other side, in a process of its own: `python -m benchmarks.notebook.exchange EVENTS`.

Half of the events a second are klines, of one exchange; the others are trades, a quarter each of two exchanges that
take turns. It says where they are, one a line, and goes on until its input ends.
"""

from __future__ import annotations

import asyncio
import sys

from rxws.testing import SimulatedExchange, random_walk

KLINES, TRADES = "btcusdt@kline_1m", "btcusdt@aggTrade"
CANDLE = 0.2
"""Seconds that a candle lasts: three hundred in a minute."""


async def serve(events: float) -> None:
    """Tell so many events a second."""
    frames = random_walk("btcusdt")
    shares = {KLINES: [0.5], TRADES: [0.25, 0.25]}
    exchanges = [
        (SimulatedExchange(frames, streams=[stream], rate=events * share, candle=CANDLE), stream)
        for stream, parts in shares.items()
        for share in parts
    ]
    for exchange, stream in exchanges:
        await exchange.start()
        sys.stdout.write(f"{exchange.combined_url(stream)}\n")
        await asyncio.sleep(2 / events)  # half of the time from one trade to the next
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    for exchange, _ in exchanges:
        await exchange.stop()


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1])))
