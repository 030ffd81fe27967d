"""The server ends the connection: with every kind of close, and without one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from reactivex import Subject

from benchmarks.reliability.raw_server import CLOSE, TEXT, Peer, RawServer, Script, frame, numbers
from benchmarks.reliability.scripts import stay
from rxws.errors import ConnectionClosed, ConnectionFailed, ProtocolError
from rxws.events import Closed, Connecting, DisconnectReason, Opened, Waiting
from rxws.testing import Limits, SimulatedExchange

CODES = [1000, 1001, None, 1008, 1011, 1012, 1013, 3000, 4999]


def numbered(end: Callable[[Peer], Awaitable[object]], count: int = 50) -> Script:
    """A script: accept, number so many messages, and end."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        peer.number(count)
        await end(peer)

    return script


async def fin(peer: Peer) -> None:
    """End TCP without a close frame."""
    peer.fin()


async def reset_in_mid_frame(peer: Peer) -> None:
    """Write half a frame, and reset TCP."""
    peer.write(frame(TEXT, b"x" * 200)[:100])
    await peer.reset()


async def fin_in_mid_frame(peer: Peer) -> None:
    """Write half a frame, and end TCP."""
    peer.write(frame(TEXT, b"x" * 200)[:100])
    peer.fin()


@pytest.mark.parametrize("code", CODES)
async def test_a_close_with_any_code_is_a_loss_and_all_before_it_arrives(watch: Any, code: int | None) -> None:
    """Each connection's messages arrive once and in order, and the code is told; 1000 and 1001 are losses too."""
    async with RawServer(numbered(lambda peer: peer.end(code))) as server, watch(server.url) as seen:
        closed = (await seen.closes(3))[:3]

        assert seen.numbers[:150] == list(range(1, 151))
        assert [each.error.code for each in closed] == [code or 1005] * 3
        assert {each.reason for each in closed} == {DisconnectReason.SERVER_CLOSED}
        assert seen.error is None and not seen.completed


@pytest.mark.parametrize("code", CODES)
async def test_a_close_frame_is_answered_with_its_code_and_tcp_is_the_servers_to_end(
    watch: Any, code: int | None
) -> None:
    """The client answers, and waits for the server's end of TCP (RFC 6455, sections 5.5.1 and 7.1.1)."""
    async with RawServer(numbered(lambda peer: peer.end(code, b"why" if code else b"")), stay) as server:
        async with watch(server.url) as seen:
            await seen.until(lambda: len(seen.numbers) == 51)
    (answer,) = server.peers[0].of(CLOSE)
    assert answer[:2] == (code.to_bytes(2) if code else b"")


# A reset throws away what the kernel has not delivered yet: so little is delivered at once.
ENDS = [(end, count) for end in (fin, fin_in_mid_frame) for count in (0, 50, 20_000)]
ENDS += [(reset_in_mid_frame, count) for count in (0, 50, 2_000)]


@pytest.mark.parametrize(("end", "count"), ENDS)
async def test_tcp_that_ends_without_a_close_frame_is_a_loss_and_all_before_it_arrives(
    watch: Any, end: Callable[[Peer], Awaitable[object]], count: int
) -> None:
    """Every whole message is handed on, nothing of the half one; the loss is 1006, from the network."""
    async with RawServer(numbered(end, count), stay) as server, watch(server.url) as seen:
        await seen.until(lambda: len(seen.numbers) > count)

        assert seen.numbers == list(range(1, count + 2))
        (closed,) = seen.of(Closed)
        assert closed.opened and closed.reason is DisconnectReason.NETWORK_ERROR
        assert isinstance(closed.error, ConnectionClosed) and closed.error.code == 1006


async def test_what_follows_a_close_frame_is_not_data(watch: Any) -> None:
    """After a close frame a server must not send (section 5.5.1); what comes all the same is not handed on."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        peer.number()
        peer.write(frame(CLOSE, b"\x03\xe8") + frame(TEXT, b'{"n":"too late"}'))
        await peer.listen()

    async with RawServer(script) as server, watch(server.url) as seen:
        await seen.closes(3)
        assert seen.numbers == list(range(1, len(seen.numbers) + 1))


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65535])
async def test_a_close_code_that_must_not_be_sent_is_a_protocol_error(watch: Any, code: int) -> None:
    """Such codes are not on the wire (section 7.4); all before it arrives, and the loss is retried."""
    async with RawServer(numbered(lambda peer: peer.end(code)), stay) as server, watch(server.url) as seen:
        await seen.until(lambda: len(seen.numbers) == 51)

        assert seen.numbers == list(range(1, 52))
        assert seen.of(Closed)[0].reason is DisconnectReason.PROTOCOL_ERROR


@pytest.mark.parametrize("payload", [b"\x03", b"\x03\xe8\xff"], ids=["one byte", "reason not UTF-8"])
async def test_a_close_frame_that_cannot_be_read_is_a_protocol_error(watch: Any, payload: bytes) -> None:
    """One byte is no code, and a reason is UTF-8 (section 5.5.1)."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        peer.number(50)
        peer.write(frame(CLOSE, payload))
        await peer.listen()

    async with RawServer(script, stay) as server, watch(server.url) as seen:
        await seen.until(lambda: len(seen.numbers) == 51)

        assert seen.numbers == list(range(1, 52))
        assert isinstance(seen.of(Closed)[0].error, ProtocolError)


async def test_a_server_that_says_close_and_keeps_tcp_open_holds_nobody_up(watch: Any) -> None:
    """The next attempt does not wait for the old socket, and that is aborted after close_timeout."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        peer.number()
        peer.close(1001)
        await peer.listen(closes=False)

    async with RawServer(script, stay) as server, watch(server.url, close_timeout=0.1) as seen:
        await seen.until(lambda: len(seen.numbers) == 2)
        await seen.until(lambda: server.peers[0].ended)
        assert len(seen.of(Opened)) == 2


async def close_at_once(peer: Peer) -> None:
    """End TCP before anything was read."""
    peer.fin()


async def reset_at_once(peer: Peer) -> None:
    """Reset TCP before anything was read."""
    await peer.reset()


async def close_on_request(peer: Peer) -> None:
    """Read the request, and end TCP without an answer."""
    await peer.ask()
    peer.fin()


async def close_in_the_answer(peer: Peer) -> None:
    """End TCP in the middle of the handshake's answer."""
    await peer.ask()
    peer.write(peer.response()[:40])
    peer.fin()


@pytest.mark.parametrize("end", [close_at_once, reset_at_once, close_on_request, close_in_the_answer])
async def test_tcp_that_ends_before_the_handshake_is_a_failure_that_is_retried(watch: Any, end: Script) -> None:
    """It is an error of ours, from what the system said; it never opened, and the third attempt succeeds."""
    async with RawServer(end, end, stay) as server, watch(server.url) as seen:
        await seen.until(lambda: seen.numbers)

        assert [type(each.error) for each in seen.of(Closed)] == [ConnectionFailed] * 2
        assert [(each.opened, each.uptime) for each in seen.of(Closed)] == [(False, 0.0)] * 2
        assert all(each.error.__cause__ is not None for each in seen.of(Closed))
        assert [each.attempts for each in (each.error for each in seen.of(Closed))] == [1, 2]
        assert seen.shape.startswith("CXWCXWCOLd")


async def test_a_server_that_restarts_on_its_port_is_found_again(watch: Any) -> None:
    """Its connections end, its port is refused for a while, then it listens again and numbers anew."""
    async with RawServer(stay) as before:
        port = before.port
        seen = watch(before.url).subscribe()
        await seen.until(lambda: seen.numbers == [1])
    await seen.until(lambda: any(isinstance(each.error, ConnectionFailed) for each in seen.of(Closed)))
    async with RawServer(stay, port=port) as after:
        async with asyncio.timeout(10):
            await seen.until(lambda: seen.numbers == [1, 1])
        seen.dispose()
        await seen.gone()
        assert len(after.peers) == 1
    assert seen.in_order, seen.shape
    assert [each.attempt for each in seen.of(Connecting)] == list(range(1, len(seen.of(Connecting)) + 1))


async def test_a_limit_of_24_hours_costs_no_message_but_those_between_two_connections(watch: Any) -> None:
    """By the exchange's own numbering: received is what it wrote, missed is what it says was missed."""
    limits = Limits(max_age=0.15, notice=0.05)
    async with SimulatedExchange("usdm", rate=2_000, limits=limits) as exchange:
        stream = exchange.streams[0]
        async with watch(exchange.combined_url(stream)) as seen:
            await seen.closes(4)
            wrote = [number for each in exchange.connections for number in each.numbers]
            await seen.until(lambda: set(wrote) <= set(seen.numbers))

        assert {each.error.code for each in seen.of(Closed) if each.error} == {1001}
        assert seen.numbers == sorted(set(seen.numbers))
        written = [number for each in exchange.connections for number in each.numbers]
        assert seen.numbers[: len(wrote)] == wrote == written[: len(wrote)]


async def test_a_server_that_ends_its_side_and_reads_nothing_is_a_loss_at_once(watch: Any) -> None:
    """What waits to be sent to it holds up neither the loss nor the end of the socket."""

    async def deaf(peer: Peer) -> None:
        await peer.accept()
        peer.number()
        peer.deafen()
        await peer.server.word.wait()
        peer.writer.write_eof()
        await asyncio.sleep(3600)

    outgoing: Subject[Any] = Subject()
    async with RawServer(deaf, stay) as server:
        async with watch(server.url, outgoing=outgoing, ping_interval=None, idle_timeout=None) as seen:
            await seen.until(lambda: seen.numbers)
            outgoing.on_next(b"x" * 15 * 2**20)
            server.word.set()
            await seen.until(lambda: len(seen.numbers) == 2)
        assert [type(each) for each in seen.of(Waiting)] == [Waiting]


async def test_numbers_are_what_they_are() -> None:
    """The server's frames are those of RFC 6455, section 5.2: what the suite stands on."""
    assert numbers(7, 1) == b'\x81\x07{"n":7}'
    assert frame(CLOSE, b"\x03\xe8") == b"\x88\x02\x03\xe8"
    assert frame(TEXT, b"x" * 126)[:4] == b"\x81\x7e\x00\x7e"
    assert frame(TEXT, b"x" * 2**16)[:10] == b"\x81\x7f" + (2**16).to_bytes(8)
    assert frame(TEXT, b"Hello", mask=b"\x37\xfa\x21\x3d") == bytes.fromhex("818537fa213d7f9f4d5158")
