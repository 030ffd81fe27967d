"""No connection comes about: refused, forbidden, put off, or not even dialled."""

from __future__ import annotations

import asyncio
import resource
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import trustme
from websockets.asyncio.server import serve

from benchmarks.reliability.raw_server import RawServer
from benchmarks.reliability.row import Figure, Row, Trial, counted, row
from benchmarks.reliability.scripts import refusing, stay
from rxws.errors import ConnectionFailed, ConnectTimeout, HandshakeRejected
from rxws.events import Closed, GaveUp, Opened, Waiting
from rxws.testing import SimulatedExchange


@row("port", "Nobody listens on the port; later somebody does", "Refusals are retried with growing waits; it comes in")
async def port(trial: Trial) -> Figure:
    async with SimulatedExchange("usdm", rate=None) as exchange:
        exchange.refuse()
        async with trial.watch(exchange.combined_url(), random=lambda: 0.0) as seen:
            await seen.closes(3)
            await exchange.accept()
            await seen.until(lambda: seen.of(Opened))
            refused = [type(each.error.__cause__) for each in seen.of(Closed)]
            return Figure.of(
                f"{counted(len(refused), 'refusal')}, then open",
                told=set(refused) == {ConnectionRefusedError},
                waits_grow=[each.seconds for each in seen.of(Waiting)][:3] == [0.05, 0.1, 0.2],
            )


def fatal(status: bytes) -> Row:
    """Return the row of a status that no attempt can cure."""

    @row(
        f"status-{int(status[:3])}",
        f"The handshake is answered with {status.decode()}",
        "One dial, one error with the status, nothing more; no secret of the URL in it",
    )
    async def run(trial: Trial) -> Figure:
        async with RawServer(refusing(status, body=b"no such key")) as server:
            async with trial.watch(f"{server.url}?token=secret") as seen:
                await seen.until(lambda: seen.error)
                await seen.gone()
                error = seen.error
                return Figure.of(
                    f"{counted(len(server.peers), 'dial')}, 1 error",
                    one_dial=len(server.peers) == 1,
                    its_status=isinstance(error, HandshakeRejected) and error.status == int(status[:3]),
                    told_last=isinstance(seen.told[-1], GaveUp),
                    no_secret="secret" not in f"{error} {error!r} {seen.told}",
                )

    return run


status_401 = fatal(b"401 Unauthorized")
status_403 = fatal(b"403 Forbidden")
status_404 = fatal(b"404 Not Found")


@row(
    "status-502",
    "A proxy answers with 502 and a page of 100,000 bytes, twice",
    "Retried; the page is cut, not kept",
)
async def status_502(trial: Trial) -> Figure:
    refuse = refusing(b"502 Bad Gateway", body=b"<html>" + b"x" * 100_000)
    async with RawServer(refuse, refuse, stay) as server, trial.watch(server.url) as seen:
        await seen.until(lambda: seen.numbers)
        return Figure.of(
            f"{counted(len(server.peers), 'dial')}; {len(seen.of(Closed)[0].error.body)} bytes kept",
            statuses=[each.error.status for each in seen.of(Closed)] == [502, 502],
            cut=len(seen.of(Closed)[0].error.body) <= 512,
        )


@row(
    "retry-after",
    "429 with Retry-After: 1, under a policy that never waits more than 0.4 s",
    "The next dial comes, and not within that second",
)
async def retry_after(trial: Trial) -> Figure:
    refuse = refusing(b"429 Too Many Requests", b"Retry-After: 1")
    async with RawServer(refuse, stay) as server, trial.watch(server.url) as seen:
        await seen.until(lambda: seen.numbers)
        apart = server.peers[1].arrived - server.peers[0].arrived
        return Figure.of(
            f"{counted(len(server.peers), 'dial')}, the second not within 1 s",
            by_the_servers_clock=apart >= 1.0,
            told=[(each.seconds, each.rule) for each in seen.of(Waiting)] == [(1.0, "retry after")],
        )


@row(
    "retry-after-date",
    "503 with a Retry-After that is a date in an hour",
    "It waits until then; dispose ends the wait at once",
)
async def retry_after_date(trial: Trial) -> Figure:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=3600), usegmt=True).encode()
    async with RawServer(refusing(b"503 Service Unavailable", b"Retry-After: " + date)) as server:
        async with trial.watch(server.url) as seen:
            await seen.until(lambda: seen.of(Waiting))
            waiting = seen.of(Waiting)[0]
        return Figure.of(
            f"{counted(len(server.peers), 'dial')}, the next in {round(waiting.seconds / 60)} minutes",
            an_hour=3500.0 < waiting.seconds <= 3600.0,
            rule=waiting.rule == "retry after",
        )


def then(first: Any, after: Callable[[], str], times: int) -> Callable[[], str]:
    """Return a URL callable: so often the first, or what it raises, and then the other."""
    asked: list[int] = []

    def url() -> str:
        asked.append(1)
        if len(asked) > times:
            return after()
        if isinstance(first, Exception):
            raise first
        return str(first)

    return url


@row("dns", "The host's name does not resolve", "A failure like others: retried; a right name later is dialled")
async def dns(trial: Trial) -> Figure:
    async with RawServer(stay) as server:
        url = then("ws://name.invalid/ws", lambda: server.url, times=2)
        async with trial.watch(url, open_timeout=5.0) as seen:
            await seen.until(lambda: seen.numbers)
            kinds = {type(each.error) for each in seen.of(Closed)}
            return Figure.of(
                f"{len(seen.of(Closed))} failed, then open",
                failures=kinds <= {ConnectionFailed, ConnectTimeout} and len(seen.of(Closed)) == 2,
                one_connection=len(server.peers) == 1,
            )


@row(
    "tls",
    "The server's certificate is for another name, then right",
    "No handshake, no message and no header reaches the wrong one; the right one is connected to",
)
async def tls(trial: Trial) -> Figure:
    authority = trustme.CA()
    trusted = ssl.create_default_context()
    authority.configure_trust(trusted)
    served: list[str] = []

    def server(name: str) -> Any:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(context)

        async def handler(connection: Any) -> None:
            served.append(name)
            await connection.send('{"n": 1}')
            await connection.wait_closed()

        return serve(handler, "127.0.0.1", 0, ssl=context)

    async with server("venue.example") as wrong, server("127.0.0.1") as right:
        urls = [f"wss://127.0.0.1:{each.sockets[0].getsockname()[1]}/" for each in (wrong, right)]
        async with trial.watch(then(urls[0], lambda: urls[1], times=2), ssl=trusted) as seen:
            await seen.until(lambda: seen.numbers)
            causes = [type(each.error.__cause__) for each in seen.of(Closed)]
            return Figure.of(
                f"{len(causes)} refused by us, then open",
                never_served=served == ["127.0.0.1"],
                why=causes == [ssl.SSLCertVerificationError] * 2,
                never_open=not any(each.opened for each in seen.of(Closed)),
            )


@row("url", "The `url` callable raises, twice", "A failure from what it raised, retried; it is asked anew each time")
async def url(trial: Trial) -> Figure:
    async with RawServer(stay) as server:
        asked = then(OSError("no token"), lambda: f"{server.url}?token=3", times=2)
        async with trial.watch(asked) as seen:
            await seen.until(lambda: seen.numbers)
            return Figure.of(
                f"{len(seen.of(Closed))} failed, then open",
                from_it=[type(each.error.__cause__) for each in seen.of(Closed)] == [OSError] * 2,
                the_new_url=b"?token=3" in server.peers[0].request and len(server.peers) == 1,
            )


@row("login-fails", "The login, `on_open`, raises, twice", "Retried; no subscription is sent before a login succeeds")
async def login_fails(trial: Trial) -> Figure:
    asked: list[int] = []

    async def login(connection: Any) -> None:
        asked.append(1)
        if len(asked) < 3:
            raise ValueError("the signature is wrong")
        connection.send("login")

    return await logged_in(trial, login, ConnectionFailed)


@row(
    "login-hangs", "The login, `on_open`, never ends, twice", "Given up after `open_timeout`, retried, nothing is left"
)
async def login_hangs(trial: Trial) -> Figure:
    asked: list[int] = []

    async def login(connection: Any) -> None:
        asked.append(1)
        if len(asked) < 3:
            await asyncio.Event().wait()
        connection.send("login")

    return await logged_in(trial, login, ConnectTimeout)


async def logged_in(trial: Trial, login: Any, kind: type[Exception]) -> Figure:
    """Try the login, which succeeds at the third connection, and see what the server heard."""
    settings = {"on_open": login, "subscriptions": ["subscribe"], "open_timeout": 0.2}
    async with RawServer(stay) as server, trial.watch(server.url, **settings) as seen:
        await seen.until(lambda: len(server.peers) == 3 and len(server.peers[2].messages) == 2)
        heard = [[payload for _, payload in peer.messages] for peer in server.peers]
        return Figure.of(
            f"{len(seen.of(Closed))} failed, then logged in and subscribed",
            errors=[type(each.error) for each in seen.of(Closed)] == [kind] * 2,
            nothing_crossed_a_failed_login=heard == [[], [], [b"login", b"subscribe"]],
        )


@row(
    "descriptors",
    "The process has no file descriptor left, for a while",
    "What the system refuses is retried like what the network refuses",
)
async def descriptors(trial: Trial) -> Figure:
    async with RawServer(stay) as server, trial.watch(server.url) as seen:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        try:
            await seen.closes(2)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        await seen.until(lambda: seen.numbers)
        return Figure.of(
            f"{counted(len(seen.of(Closed)), 'failure')}, then open",
            failures={type(each.error) for each in seen.of(Closed)} == {ConnectionFailed},
        )
