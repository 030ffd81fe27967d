"""Klines as Binance sends them, of 300 bytes each, as frames of RFC 6455 (section 5.2).

Source: Binance spot, "Kline/Candlestick Streams".
"""

from __future__ import annotations

import struct

CLOSED_EVERY = 10
"""One kline in so many is closed."""
BLOCK = 10_000
"""Frames that are built once, and sent again and again."""
STAMP = 10**18
"""Stands before a stamp, so that all stamps have as many digits."""
TEXT = 0x81  # a text frame, and the last of its message

MINUTE = 60_000
BEGINNING = 1_764_115_200_000  # of the first kline, in ms
KLINE = (
    '{"e":"kline","E":%d,"s":"%s","k":{"t":%d,"T":%d,"s":"%s","i":"1m","f":%d,"L":%d,"o":"%.8f","c":"%.8f",'
    '"h":"%.8f","l":"%.8f","v":"%.8f","n":%d,"x":%s,"q":"%.8f","V":"%.8f","Q":"%.8f","B":"0"}}'
)


def symbols(topics: int) -> list[str]:
    """Return so many symbols of one length."""
    return ["NKNUSDT"] if topics == 1 else [f"{number:04X}USD" for number in range(topics)]


def kline(number: int, symbol: str = "NKNUSDT", time: int = BEGINNING) -> bytes:
    """Return one kline; all of one kind of `time` have the same length."""
    begin = BEGINNING + number // CLOSED_EVERY * MINUTE
    first, price, volume = 1_000_000 + 100 * number, 0.2 + number % 991 / 10_000, 2_500.0 + number % 61
    closed = number % CLOSED_EVERY == CLOSED_EVERY - 1
    # "true" is one letter shorter than "false": a digit of the number of trades makes up for it.
    trades, word = (100 + number % 900, "true") if closed else (10 + number % 90, "false")
    prices = (price, price + 0.0001, price + 0.0004, price - 0.0002)
    volumes = (volume * price, volume / 500, volume * price / 500)
    text = KLINE % (
        *(time, symbol, begin, begin + MINUTE - 1, symbol, first, first + trades),
        *(*prices, volume, trades, word, *volumes),
    )
    return text.encode()


def frame(payload: bytes) -> bytes:
    """Return a server's text frame of more than 125 bytes."""
    return struct.pack("!BBH", TEXT, 126, len(payload)) + payload


def block(topics: int) -> list[bytes]:
    """Return frames that go round so many symbols."""
    names = symbols(topics)
    return [frame(kline(number, names[number % topics])) for number in range(BLOCK)]
