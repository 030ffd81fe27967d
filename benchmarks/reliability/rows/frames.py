"""Frames that are none: the connection ends by the code of the RFC, and the next one is good."""

from __future__ import annotations

import zlib

from benchmarks.reliability.raw_server import (
    CLOSE,
    CONTINUATION,
    FIN,
    PING,
    PONG,
    RSV1,
    TEXT,
    Peer,
    RawServer,
    Script,
    frame,
)
from benchmarks.reliability.row import Figure, Row, Trial, counted, row
from benchmarks.reliability.scripts import stay, writing
from rxws.errors import ConnectionClosed, MessageTooBig, ProtocolError
from rxws.events import BadFrame, Closed, Opened

SAID = "What stood before it is delivered, nothing behind it; the server hears"


def wrong(key: str, happens: str, data: bytes, code: int = 1002) -> Row:
    """Return the row of a frame that breaks the protocol: {n: 1}, the frame, {n: 2}; then a good connection, {n: 3}."""

    @row(key, happens, f"{SAID} {code}; it comes back")
    async def run(trial: Trial) -> Figure:
        async with RawServer(writing(data), stay) as server, trial.watch(server.url) as seen:
            await seen.until(lambda: len(seen.numbers) >= 2)
            await seen.until(lambda: server.peers[0].of(CLOSE))
            errors = [each.error for each in seen.of(Closed)]
            said = int.from_bytes(server.peers[0].of(CLOSE)[0][:2])
            return Figure.of(
                f"closed with {said}, {counted(len(seen.of(Opened)), 'connection')}",
                before_and_after=seen.values == [{"n": 1}, {"n": 3}],
                code=said == code,
                retried=len(errors) == 1 and isinstance(errors[0], ProtocolError | ConnectionClosed),
            )

    return run


masked = wrong("masked", "A frame of the server's is masked (RFC 6455, 5.1)", frame(TEXT, b'{"n":0}', mask=b"\1\2\3\4"))
reserved = wrong("reserved", "RSV1 is set without an extension (5.2)", frame(TEXT, b'{"n":0}', first=FIN | RSV1))
opcode = wrong("opcode", "An opcode that there is not (5.2)", frame(0x3, b"x"))
continuation = wrong("continuation", "A continuation of nothing (5.4)", frame(CONTINUATION, b"x"))
interleaved = wrong(
    "interleaved", "A new message within the fragments of another (5.4)", frame(TEXT, b"x", first=0) + frame(TEXT, b"y")
)
long_ping = wrong("long-ping", "A ping of 126 bytes (5.5)", frame(PING, b"x" * 126))
utf8 = wrong("utf8", "Text that is not UTF-8 (8.1)", frame(TEXT, b'{"e":"\xff\xfe"}'), 1007)
utf8_fragments = wrong(
    "utf8-fragments",
    "Text whose second fragment makes it no UTF-8",
    frame(TEXT, b'{"e":"\xc3', first=0) + frame(CONTINUATION, b'\x28"}'),
    1007,
)
page_of_html = wrong("html", "HTTP in the middle of the stream", b"HTTP/1.1 200 OK\r\n\r\n" + b"<html>" * 20)


async def too_big(trial: Trial, script: Script, limit: int) -> Figure:
    """Send more than the client's own limit: fatal, for the next connection would bring it again."""
    async with RawServer(script) as server, trial.watch(server.url, max_size=limit) as seen:
        await seen.until(lambda: seen.error)
        await seen.gone()
        await seen.until(lambda: server.peers[0].of(CLOSE))
        said = int.from_bytes(server.peers[0].of(CLOSE)[0][:2])
        return Figure.of(
            f"closed with {said}, {counted(len(server.peers), 'dial')}",
            names_the_limit=isinstance(seen.error, MessageTooBig) and "max_size" in str(seen.error),
            what_stood_before=seen.values == [{"n": 1}],
            code=said == 1009,
            one_dial=len(server.peers) == 1,
        )


TOO_BIG = "One error that names `max_size`, at once; 1009; no second dial; the bytes are never gathered"


@row("oversized", "A message of 16 MiB and a byte, with the default limit", TOO_BIG)
async def oversized(trial: Trial) -> Figure:
    return await too_big(trial, writing(frame(TEXT, b"x" * (16 * 2**20 + 1))), 16 * 2**20)


@row("length", "A frame announces 2^63 bytes (5.2: the most significant bit must be 0)", TOO_BIG)
async def length(trial: Trial) -> Figure:
    return await too_big(trial, writing(b"\x81\x7f" + (2**63).to_bytes(8)), 16 * 2**20)


@row("bomb", "100 MB of zeros in 100 kB of deflate", TOO_BIG)
async def bomb(trial: Trial) -> Figure:
    async def script(peer: Peer) -> None:
        await peer.ask()
        peer.write(peer.response(b"Sec-WebSocket-Extensions: permessage-deflate"))
        peer.number()
        packer = zlib.compressobj(wbits=-15)
        packed = packer.compress(b"0" * trial.size(2 * 10**7, 10**8)) + packer.flush(zlib.Z_SYNC_FLUSH)
        peer.write(frame(TEXT, packed[:-4], first=FIN | RSV1))
        await peer.listen()

    return await too_big(trial, script, 16 * 2**20)


@row(
    "fragments",
    "A message in 1,000 fragments, a ping between each two",
    "Put together, once; each ping is answered; the connection is kept",
)
async def fragments(trial: Trial) -> Figure:
    text = b'{"text":"%s"}' % (b"\xe2\x82\xac" * 330)  # cut within its characters too
    pieces = [frame(TEXT, text[:1], first=0)]
    pieces += [frame(PING, b"%d" % at) + frame(CONTINUATION, text[at : at + 1], first=0) for at in range(1, 1000)]
    pieces += [frame(CONTINUATION, text[1000:])]
    async with RawServer(writing(b"".join(pieces))) as server, trial.watch(server.url) as seen:
        await seen.until(lambda: len(seen.values) == 3 and len(server.peers[0].of(PONG)) >= 999)
        return Figure.of(
            f"1 message, {len(server.peers[0].of(PONG))} pongs",
            whole_and_in_order=seen.values == [{"n": 1}, {"text": "€" * 330}, {"n": 2}],
            pongs=server.peers[0].of(PONG) == [b"%d" % at for at in range(1, 1000)],
            kept=not seen.of(Closed),
        )


@row(
    "json",
    "Text that is not JSON, among messages of a type that `decode` names",
    "It costs itself only: counted, told, skipped; the connection is kept",
)
async def json(trial: Trial) -> Figure:
    data = frame(TEXT, b'{"n": 1') + frame(TEXT, b"[]") + frame(TEXT, b'{"n": "x"}')
    async with RawServer(writing(data)) as server, trial.watch(server.url, decode=dict[str, int]) as seen:
        await seen.until(lambda: len(seen.numbers) == 2)
        bad = seen.of(BadFrame)
        return Figure.of(
            f"{counted(bad[-1].count if bad else 0, 'bad frame')}, 2 good ones",
            each_told_or_counted=bool(bad) and bad[-1].count == 3,
            good_ones=seen.values == [{"n": 1}, {"n": 2}],
            kept=not seen.of(Closed),
        )
