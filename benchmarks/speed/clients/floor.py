"""The floor: picows' own callback and a typed decoder, by hand; nothing of a connection's life is cared for."""

from __future__ import annotations

import msgspec
from picows import WSFrame, WSListener, WSTransport, ws_connect

from benchmarks.speed.clients.kline import Kline
from benchmarks.speed.clients.meter import SIZE, Meter, run


class Listener(WSListener):
    """Decodes each frame where it is read."""

    def __init__(self, meter: Meter) -> None:
        super().__init__()
        self.meter = meter
        self.decode = msgspec.json.Decoder(Kline).decode
        self.closed: list[Kline] = []

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Keep a closed kline."""
        kline = self.decode(frame.get_payload_as_memoryview())
        if kline.k.x:
            self.closed.append(kline)
            if len(self.closed) == SIZE:
                self.meter.take(self.closed)
                self.closed = []


async def consume(url: str, meter: Meter) -> None:
    """Connect and let the listener work."""
    transport, _ = await ws_connect(lambda: Listener(meter), url)
    await transport.wait_disconnected()


run(consume)
