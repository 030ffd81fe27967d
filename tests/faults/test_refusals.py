"""No connection comes about: refused, put off, forbidden, or not even dialled."""

from __future__ import annotations

import asyncio
import resource
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from benchmarks.reliability.raw_server import Peer, RawServer
from benchmarks.reliability.scripts import refusing, stay
from rxws.errors import ConnectionFailed, HandshakeRejected
from rxws.events import Closed, Connecting, GaveUp, Opened, Waiting
from rxws.testing import SimulatedExchange


async def test_a_refused_port_is_tried_again_until_somebody_listens(watch: Any) -> None:
    """Each refusal is a failure with the system's error as its cause, and the waits grow."""
    async with SimulatedExchange("usdm", rate=None) as exchange:
        exchange.refuse()
        async with watch(exchange.combined_url(), random=lambda: 0.0) as seen:
            await seen.closes(3)
            await exchange.accept()
            await seen.until(lambda: seen.of(Opened))

            assert {type(each.error) for each in seen.of(Closed)} == {ConnectionFailed}
            assert {type(each.error.__cause__) for each in seen.of(Closed)} == {ConnectionRefusedError}
            assert [each.seconds for each in seen.of(Waiting)][:3] == [0.05, 0.1, 0.2]


async def test_retry_after_is_kept(watch: Any) -> None:
    """The wait is what the server asked for, above the policy's cap; it is not asked again sooner."""
    refuse = refusing(b"429 Too Many Requests", b"Retry-After: 1")
    async with RawServer(refuse, stay) as server, watch(server.url) as seen:
        await seen.until(lambda: seen.numbers)

        (waiting,) = seen.of(Waiting)
        assert (waiting.seconds, waiting.rule) == (1.0, "retry after")
        assert server.peers[1].arrived - server.peers[0].arrived >= 1.0


async def test_retry_after_may_be_a_date_and_stand_with_any_status(watch: Any) -> None:
    """RFC 9110, section 10.2.3; a 503 with it waits as a 429 does."""
    until = datetime.now(UTC) + timedelta(seconds=3600)
    header = b"Retry-After: " + format_datetime(until, usegmt=True).encode()
    async with RawServer(refusing(b"503 Service Unavailable", header)) as server, watch(server.url) as seen:
        await seen.until(lambda: seen.of(Waiting))

        (waiting,) = seen.of(Waiting)
        assert waiting.rule == "retry after"
        assert 3500.0 < waiting.seconds <= 3600.0


@pytest.mark.parametrize(
    "header", [b"Retry-After: soon", b"Retry-After: -5", b"Retry-After: ", b"Retry-After: 0.5", b"X: x"]
)
async def test_a_retry_after_that_says_nothing_is_none(watch: Any, header: bytes) -> None:
    """The policy and its pause decide, as for a 429 without one."""
    async with RawServer(refusing(b"429 Slow Down", header), stay) as server, watch(server.url) as seen:
        await seen.until(lambda: seen.numbers)
        assert 0.2 <= seen.of(Waiting)[0].seconds <= 0.4


async def test_a_retry_after_beyond_all_bounds_is_a_day_and_breaks_nothing(watch: Any) -> None:
    """What asks for more is a mistake; dispose ends the wait."""
    refuse = refusing(b"429 Too Many Requests", b"Retry-After: " + b"9" * 400)
    async with RawServer(refuse) as server, watch(server.url) as seen:
        await seen.until(lambda: seen.of(Waiting))
        assert seen.of(Waiting)[0].seconds == 86_400.0


async def test_a_machine_without_file_descriptors_is_a_failure_that_passes(watch: Any) -> None:
    """What the system refuses is retried like what the network refuses."""
    async with RawServer(stay) as server, watch(server.url) as seen:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        try:
            await seen.closes(2)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        await seen.until(lambda: seen.numbers)
        assert {type(each.error) for each in seen.of(Closed)} == {ConnectionFailed}


async def test_a_url_is_asked_anew_for_each_connection_and_may_fail(watch: Any) -> None:
    """A token service that is down is a failure like any other, from what it raised."""
    asked: list[str] = []

    async def url() -> str:
        await asyncio.sleep(0)
        asked.append("url")
        if len(asked) < 3:
            raise OSError("no token")
        return f"{server.url}?token={len(asked)}"

    async with RawServer(stay) as server, watch(url) as seen:
        await seen.until(lambda: seen.numbers)
        assert [type(each.error.__cause__) for each in seen.of(Closed)] == [OSError] * 2
        assert b"?token=3" in server.peers[0].request


@pytest.mark.parametrize("status", [b"401 Unauthorized", b"403 Forbidden", b"404 Not Found"])
async def test_what_no_attempt_can_cure_is_an_error_at_once(watch: Any, status: bytes) -> None:
    """One attempt; the error tells status and the beginning of the body; nothing follows, and nothing is left."""
    refuse = refusing(status, b"Content-Type: text/plain", body=b"no such key " * 100)
    async with RawServer(refuse) as server, watch(server.url + "?token=secret") as seen:
        await seen.until(lambda: seen.error)
        await seen.gone()

        assert isinstance(seen.error, HandshakeRejected)
        assert seen.error.status == int(status[:3])
        assert seen.error.body.startswith(b"no such key") and "no such key" in str(seen.error)
        assert "secret" not in repr(seen.told) + str(seen.error) + repr(seen.error)
        assert [type(each) for each in seen.told] == [Connecting, Closed, GaveUp]
        assert len(server.peers) == 1


@pytest.mark.parametrize("framing", [b"Content-Length: 100\r\n", b"", b"Transfer-Encoding: chunked\r\n"])
async def test_a_refusal_whose_body_never_ends_is_a_refusal(watch: Any, framing: bytes) -> None:
    """The status is enough: what hangs behind it does not make a 401 a timeout that is retried for ever."""

    async def refuse(peer: Peer) -> None:
        await peer.ask()
        peer.write(b"HTTP/1.1 401 Unauthorized\r\n" + framing + b"\r\n")
        await peer.listen()

    async with RawServer(refuse) as server, watch(server.url, open_timeout=0.2) as seen:
        await seen.until(lambda: seen.error or len(server.peers) > 2)
        assert isinstance(seen.error, HandshakeRejected)


@pytest.mark.parametrize("status", [b"400 Bad Request", b"500 Internal Server Error", b"502 Bad Gateway", b"200 OK"])
async def test_other_refusals_are_tried_again(watch: Any, status: bytes) -> None:
    """A proxy's page in between is no reason to give up."""
    refuse = refusing(status, body=b"<html>" + b"x" * 100_000)
    async with RawServer(refuse, refuse, stay) as server, watch(server.url) as seen:
        await seen.until(lambda: seen.numbers)
        assert [each.error.status for each in seen.of(Closed)] == [int(status[:3])] * 2
        assert len(seen.of(Closed)[0].error.body) == 512
