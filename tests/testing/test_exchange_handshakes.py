"""The faults of opening, as a plain client meets them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, InvalidHeaderValue, InvalidStatus

from rxws.errors import ConfigError
from rxws.testing.exchange import SimulatedExchange

REQUEST = (
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


@pytest.fixture
async def exchange() -> AsyncIterator[SimulatedExchange]:
    """An exchange whose every message is ordered."""
    async with asyncio.timeout(10), SimulatedExchange("usdm", rate=None) as exchange:
        yield exchange


async def opens(exchange: SimulatedExchange) -> bool:
    """Tell whether a client gets in."""
    try:
        async with connect(exchange.url + "/ws"):
            return True
    except (InvalidHandshake, EOFError, OSError):
        return False


async def test_refused_means_that_nothing_listens_until_it_is_accepted(
    exchange: SimulatedExchange,
) -> None:
    """At once, again and again, and afterwards the same port is back; open connections stay."""
    port = exchange.port
    async with connect(exchange.combined_url("ctkusdt@aggTrade")) as client:
        exchange.refuse()
        for _ in range(3):
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", port)
        exchange.burst(1)
        assert "ctkusdt" in str(await client.recv())

        await exchange.accept()
        assert await opens(exchange)

    assert exchange.port == port


async def test_refusing_and_accepting_can_go_on_for_ever(exchange: SimulatedExchange) -> None:
    """Twice is once; and it works again and again."""
    for _ in range(5):
        exchange.refuse()
        exchange.refuse()
        await asyncio.gather(exchange.accept(), exchange.accept())
        assert await opens(exchange)


async def test_a_refusal_during_an_acceptance_wins(exchange: SimulatedExchange) -> None:
    """The last order holds, also where the first one has not ended."""
    exchange.refuse()
    accepting = asyncio.create_task(exchange.accept())
    await asyncio.sleep(0)
    exchange.refuse()
    await accepting

    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", exchange.port)


async def test_a_stopped_exchange_does_not_listen_again() -> None:
    """An acceptance that comes too late opens nothing."""
    exchange = SimulatedExchange(rate=None)
    await exchange.start()
    exchange.refuse()
    await exchange.stop()
    await exchange.accept()

    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", exchange.port)


async def test_a_hanging_handshake_is_never_answered_until_it_is_resumed(
    exchange: SimulatedExchange,
) -> None:
    """TCP is open and silent; `resume` answers it."""
    exchange.hang_handshakes(times=1)
    reader, writer = await asyncio.open_connection("127.0.0.1", exchange.port)
    writer.write(REQUEST)
    assert await opens(exchange)  # the next one, in full, while the first one hangs
    assert (exchange.handshakes_accepted, exchange.handshakes_refused) == (1, 0)
    assert reader._buffer == b""

    assert exchange.resume() == 1

    assert b"101 Switching Protocols" in await reader.readuntil(b"\r\n\r\n")
    writer.close()


async def test_a_hanging_handshake_that_is_given_up_counts_as_refused(
    exchange: SimulatedExchange,
) -> None:
    """The client's end of TCP is noticed."""
    exchange.hang_handshakes()
    _, writer = await asyncio.open_connection("127.0.0.1", exchange.port)
    writer.write(REQUEST)
    await writer.drain()
    writer.close()

    await exchange.until(lambda: exchange.handshakes_refused == 1)


async def test_a_dropped_handshake_is_a_fin_without_an_answer(
    exchange: SimulatedExchange,
) -> None:
    """The client reads nothing, and no reset."""
    exchange.drop_handshakes(times=1)
    reader, writer = await asyncio.open_connection("127.0.0.1", exchange.port)
    writer.write(REQUEST)

    assert await reader.read() == b""
    writer.close()
    assert await opens(exchange)


async def test_a_wrong_accept_header_comes_so_many_times(exchange: SimulatedExchange) -> None:
    """Everything is right but the key's answer; then it recovers."""
    exchange.wrong_accept(times=2)

    for _ in range(2):
        with pytest.raises(InvalidHeaderValue, match="Sec-WebSocket-Accept"):
            await connect(exchange.url + "/ws")
    assert await opens(exchange)
    assert (exchange.handshakes_accepted, exchange.handshakes_refused) == (1, 2)


async def test_a_rejection_has_status_header_and_body(exchange: SimulatedExchange) -> None:
    """429 with Retry-After, once."""
    exchange.reject(429, retry_after=7, body="slow down")

    with pytest.raises(InvalidStatus) as rejected:
        await connect(exchange.url + "/ws")

    response = rejected.value.response
    assert response.status_code == 429
    assert response.headers["Retry-After"] == "7"
    assert response.body == b"slow down"
    assert await opens(exchange)


async def test_a_rejection_need_not_say_when_to_come_back(exchange: SimulatedExchange) -> None:
    """Without `retry_after` there is no such header."""
    exchange.reject(503)

    with pytest.raises(InvalidStatus) as rejected:
        await connect(exchange.url + "/ws")

    assert "Retry-After" not in rejected.value.response.headers


async def test_flapping_accepts_and_closes(exchange: SimulatedExchange) -> None:
    """Each handshake succeeds, and a close frame follows at once, with nothing before it."""
    exchange.flap(times=2, code=1013, reason="later")

    for _ in range(2):
        async with connect(exchange.combined_url()) as client:
            await client.wait_closed()
            assert (client.close_code, client.close_reason) == (1013, "later")
    assert exchange.handshakes_accepted == 2
    assert [record.ended for record in exchange.connections] == ["closed with 1013 later"] * 2

    async with connect(exchange.combined_url()) as client:
        exchange.burst(1)
        await client.recv()


async def test_orders_queue_up_and_are_forgotten_on_accept(exchange: SimulatedExchange) -> None:
    """One after the other, each as often as it says; None holds until `accept`."""
    exchange.reject(503)
    exchange.wrong_accept()
    exchange.reject(401, times=None)
    met = []
    for _ in range(4):
        with pytest.raises((InvalidStatus, InvalidHeaderValue)) as refused:
            await connect(exchange.url + "/ws")
        response = getattr(refused.value, "response", None)
        met.append(response and response.status_code)

    assert met == [503, None, 401, 401]
    await exchange.accept()
    assert await opens(exchange)


async def test_orders_can_be_given_before_the_start() -> None:
    """The first client meets what was ordered before there was a port."""
    exchange = SimulatedExchange(rate=None)
    exchange.reject(503)
    async with exchange:
        assert not await opens(exchange)
        assert await opens(exchange)


@pytest.mark.parametrize(
    ("fault", "arguments", "field"),
    [
        ("reject", {"status": 101}, "status"),
        ("reject", {"status": 299}, "status"),
        ("reject", {"status": 600}, "status"),
        ("reject", {"status": 503, "times": 0}, "times"),
        ("reject", {"status": 503, "retry_after": -1}, "retry_after"),
        ("flap", {"times": 0}, "times"),
        ("flap", {"code": 2**16}, "code"),
    ],
)
def test_an_order_out_of_range_is_refused(fault: str, arguments: dict[str, int], field: str) -> None:
    """The error names the argument, before anybody connects."""
    with pytest.raises(ConfigError) as refused:
        getattr(SimulatedExchange(), fault)(**arguments)

    assert refused.value.field == field
