"""RFC 6455 as the Autobahn TestSuite's fuzzing server checks it: an echo through `connect`, beside websockets' own."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable
from functools import partial
from typing import NamedTuple

import pytest
from websockets.asyncio.client import connect as websockets_connect
from websockets.exceptions import ConnectionClosed as Closed

import rxws
from rxws.errors import ConnectionClosed
from rxws.types import Connection, Message
from tests.transport.raw_server import CLOSE, PATIENCE, Frame, RawPeer, RawServer
from tests.transport.receiving import turns
from tests.transport.rfc6455_cases import CASES, DROPPED, PAUSE, Case, Octets

FAILED, NON_STRICT, OK, INFORMATIONAL = "FAILED", "NON-STRICT", "OK", "INFORMATIONAL"

# What a client that does nothing where it should close is given, and it is only then that anything is waited out.
KILL_AFTER = 5.0
AT_ONCE = 24
NO_STATUS, TAIL = 1005, b"\x00\x00\xff\xff"

# Where websockets parses a whole segment, and so fails before the good message in it can be echoed; and where bad
# UTF-8 is found at the end of its message only.
LENIENT = {"3.2", "4.1.3", "4.1.4", "4.2.3", "4.2.4", "5.15", "6.4.1", "6.4.2", "6.4.3", "6.4.4"}
# websockets answers a close frame between two fragments with 1002; Autobahn wants 1000.
FAILS_IN_BOTH = {"7.1.5"}


class Played(NamedTuple):
    """What a client did: its frames before its close frame, that one's code, and how TCP ended ("" if it did not)."""

    frames: tuple[Frame, ...]
    code: int
    steps: int
    behind: int
    end: str


class Play:
    """One case, played to one client."""

    def __init__(self, case: Case, peer: RawPeer) -> None:
        self._case = case
        self._peer = peer
        self._frames: list[Frame] = []
        self._code = DROPPED
        self._behind = 0
        self._steps = 0
        self._end = ""
        self._deflate = zlib.compressobj(wbits=-15)
        self._inflate = zlib.decompressobj(wbits=-15)
        self._news = asyncio.Event()

    async def run(self) -> Played:
        """Play it."""
        reading = asyncio.ensure_future(self._read())
        try:
            async with asyncio.timeout(KILL_AFTER):
                await self._script()
                await self._until(lambda: self._done or len(self._frames) >= len(self._case.answers))
                if self._case.goodbye and not self._done:
                    self._peer.write(self._case.goodbye)
                await self._until(lambda: self._done)
                if not self._end:
                    self._peer.fin()
                await reading
        except TimeoutError:
            reading.cancel()
        except ConnectionError:
            await reading
        return Played(tuple(self._frames), self._code, self._steps, self._behind, self._end)

    @property
    def _done(self) -> bool:
        return self._code != DROPPED or self._end != ""

    async def _script(self) -> None:
        for step in self._case.script:
            if self._done:
                return
            self._steps += 1
            if step is PAUSE:
                await turns(20)
            elif isinstance(step, Octets):
                for start in range(0, len(step.data), step.size):
                    self._peer.write(step.data[start : start + step.size])
                    await turns(2)
            elif self._case.compressed:
                await self._converse(step)
            else:
                await self._peer.write_much(step)
                await turns(2)

    async def _converse(self, message: bytes) -> None:
        seen = len(self._frames)
        small = self._deflate.compress(message[2:]) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        packed = small.removesuffix(TAIL)
        self._peer.write(message[:1], bytes([len(packed)]), packed)
        await self._until(lambda: self._done or len(self._frames) > seen)

    async def _read(self) -> None:
        try:
            while True:
                self._take(await self._peer.frame())
                self._news.set()
        except EOFError as end:
            self._end = str(end)
            self._news.set()

    def _take(self, frame: Frame) -> None:
        if self._code != DROPPED:
            self._behind += 1
        elif frame.opcode == CLOSE:
            self._code = int.from_bytes(frame.payload[:2]) if frame.payload else NO_STATUS
        elif self._case.compressed:
            self._frames.append(frame._replace(payload=self._inflate.decompress(frame.payload + TAIL)))
        else:
            self._frames.append(frame)

    async def _until(self, there: Callable[[], bool]) -> None:
        while not there():
            self._news.clear()
            await self._news.wait()


def grade(case: Case, played: Played) -> str:
    """Class what came as Autobahn does."""
    if not played.end:
        return FAILED
    if case.informational:
        return INFORMATIONAL
    if played.code not in case.codes or played.behind:
        return FAILED
    if case.fast and played.steps == len(case.script):
        return NON_STRICT
    if played.frames == case.answers:
        return OK
    return NON_STRICT if played.frames in case.lenient else FAILED


async def through_rxws(url: str, transport: str) -> None:
    """Echo what arrives, by `connect`."""
    over = asyncio.get_running_loop().create_future()

    def on_connection(connection: Connection) -> None:
        def echo(message: Message) -> None:
            try:
                connection.send(message)
            except ConnectionClosed:
                pass

        connection.messages.subscribe(echo, lambda error: None)

    rxws.connect(
        url,
        open_timeout=None,
        ping_interval=None,
        close_timeout=None,
        max_size=None,
        transport=transport,
        compression="deflate",
    ).subscribe(on_connection, lambda error: over.set_result(None), lambda: over.set_result(None))
    await over


async def through_websockets(url: str) -> None:
    """Echo what arrives, by websockets' own loop."""
    try:
        async with websockets_connect(
            url, open_timeout=None, ping_interval=None, close_timeout=None, max_size=None
        ) as ws:
            async for message in ws:
                await ws.send(message)
    except (Closed, UnicodeDecodeError):
        pass


async def play(case: Case, echo: Callable[[str], Awaitable[None]]) -> Played:
    """Play one case to one echo client, on a server of its own."""
    server = RawServer()
    client = asyncio.ensure_future(echo(server.url))
    try:
        peer = await server.accepted()
        await peer.upgrade(headers="Sec-WebSocket-Extensions: permessage-deflate\r\n" if case.compressed else "")
        played = await Play(case, peer).run()
    finally:
        server.close()
    async with asyncio.timeout(PATIENCE):
        await client
    return played


async def play_all(transport: str) -> dict[str, tuple[Played, Played]]:
    """Play every case to both."""
    places = asyncio.Semaphore(AT_ONCE)

    async def both(case: Case) -> tuple[Played, Played]:
        async with places:
            ours = await play(case, partial(through_rxws, transport=transport))
            return ours, await play(case, through_websockets)

    return dict(zip(CASES, await asyncio.gather(*map(both, CASES.values())), strict=True))


@pytest.fixture(scope="module", params=["websockets", "picows"])
def results(request: pytest.FixtureRequest) -> dict[str, tuple[Played, Played]]:
    """What both clients did in every case, by each of our transports; they are all played at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("no_proxy", "*")
        return asyncio.run(play_all(request.param))


@pytest.mark.parametrize("number", CASES)
def test_nothing_fails_that_websockets_own_loop_passes(number: str, results: dict[str, tuple[Played, Played]]) -> None:
    """And where both fail, they do the same."""
    case, (ours, theirs) = CASES[number], results[number]

    assert grade(case, ours) != FAILED or (grade(case, theirs) == FAILED and ours == theirs)


@pytest.mark.parametrize("number", CASES)
def test_a_case_is_passed_as_well_as_it_was(number: str, results: dict[str, tuple[Played, Played]]) -> None:
    """Strictly, unless it stands above why not."""
    case, (ours, _) = CASES[number], results[number]

    assert (grade(case, ours) in (OK, INFORMATIONAL)) or number in LENIENT | FAILS_IN_BOTH
    assert (grade(case, ours) == FAILED) == (number in FAILS_IN_BOTH)


def test_the_cases_are_autobahns() -> None:
    """All 249 of these groups."""
    groups = [number.split(".")[0] for number in CASES]

    assert {group: groups.count(group) for group in groups} == {
        "1": 16,
        "2": 11,
        "3": 7,
        "4": 10,
        "5": 20,
        "6": 145,
        "7": 37,
        "10": 1,
        "12": 2,
    }
