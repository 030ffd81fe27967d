"""The life of a simulated exchange: started, scripted, stopped, and nothing left."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from rxws import testing
from rxws.errors import ConfigError
from rxws.testing.exchange import Limits, ManualClock, SimulatedExchange

OPEN_FILES = Path("/proc/self/fd")
REQUEST = (
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def open_files() -> int:
    """Return how many files and sockets this process holds; 0 where it cannot be told."""
    return len(list(OPEN_FILES.iterdir())) if OPEN_FILES.exists() else 0


@pytest.mark.parametrize("state", ["idle", "open", "stalled", "hung", "dropped", "early", "full"])
async def test_a_stopped_exchange_leaves_nothing(state: str) -> None:
    """No task, no socket, no timer, whatever state its connections are in."""
    loop = asyncio.get_running_loop()
    tasks = asyncio.all_tasks()
    files = open_files()
    exchange = SimulatedExchange("usdm", rate=500, limits=Limits(close_timeout=60.0))
    async with asyncio.timeout(10), exchange:
        if state == "hung":
            exchange.hang_handshakes()
        clients = [await asyncio.open_connection("127.0.0.1", exchange.port) for _ in range(3)]
        for _, writer in clients:
            if state == "early":
                continue
            target = b"/ws/sushiusdt@bookTicker" if state == "full" else b"/ws"
            writer.write(REQUEST.replace(b"/ws", target))
        if state not in ("hung", "early"):
            await exchange.until(lambda: len(exchange.live) == 3)
        if state == "stalled":
            exchange.stall(pongs=False)
        if state == "dropped":
            exchange.drop()
        if state == "full":
            exchange.burst(100_000)
    for _, writer in clients:
        writer.transport.abort()
    del clients, writer
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    gc.collect()

    assert asyncio.all_tasks() == tasks
    assert [timer for timer in loop._scheduled if not timer.cancelled()] == []
    assert open_files() == files


async def test_clients_are_told_that_it_stops() -> None:
    """An open connection is closed with 1001; then nothing listens."""
    async with asyncio.timeout(10):
        async with SimulatedExchange(rate=None) as exchange:
            client = await connect(exchange.url + "/ws")
        await client.wait_closed()

    assert client.close_code == 1001
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", exchange.port)


async def test_stopping_twice_is_stopping_and_starting_twice_is_an_error() -> None:
    """And a stopped one can be started again, on its port, its numbers going on."""
    exchange = SimulatedExchange(rate=None)
    await exchange.stop()
    await exchange.start()
    port = exchange.port
    with pytest.raises(RuntimeError, match="stop it first"):
        await exchange.start()
    exchange.burst(3)
    await exchange.stop()
    await exchange.stop()

    async with asyncio.timeout(10), exchange, connect(exchange.url + "/ws"):
        exchange.burst(1)
    assert (exchange.port, exchange.produced) == (port, 4)


async def test_a_port_that_is_taken_is_an_error() -> None:
    """And the exchange is not running."""
    async with asyncio.timeout(10), SimulatedExchange(rate=None) as first:
        second = SimulatedExchange(rate=None, port=first.port)
        with pytest.raises(OSError, match="in use"):
            await second.start()
        await second.stop()


def test_before_its_start_it_has_no_address() -> None:
    """The error says what to do."""
    with pytest.raises(RuntimeError, match="async with"):
        _ = SimulatedExchange().url


@pytest.mark.parametrize(("field", "value"), [("rate", 0.0), ("rate", -1.0), ("history", -1), ("candle", 0.0)])
def test_an_argument_out_of_range_is_refused(field: str, value: float) -> None:
    """The error names it."""
    with pytest.raises(ConfigError) as refused:
        SimulatedExchange(**{field: value})

    assert refused.value.field == field


async def test_the_market_ticks_by_itself() -> None:
    """At its rate, nobody being connected."""
    clock = ManualClock()
    async with asyncio.timeout(10), SimulatedExchange(rate=40.0, clock=clock) as exchange:
        clock.advance(10.0)

        assert exchange.produced == pytest.approx(400, abs=1)
    assert clock.timers == 0


async def test_it_may_live_at_an_ipv6_address() -> None:
    """The URL has its brackets."""
    try:
        exchange = SimulatedExchange(rate=None, host="::1")
        await exchange.start()
    except OSError:
        return  # this machine has no IPv6
    try:
        assert exchange.url == f"ws://[::1]:{exchange.port}"
        async with asyncio.timeout(10), connect(exchange.url + "/ws"):
            pass
    finally:
        await exchange.stop()


async def test_a_script_does_each_thing_at_its_time() -> None:
    """In the order of their times; async ones are waited for."""
    clock = ManualClock()
    done: list[tuple[str, float]] = []

    async def later() -> None:
        await asyncio.sleep(0)
        done.append(("async", clock.time()))

    async with asyncio.timeout(10), SimulatedExchange(rate=None, clock=clock) as exchange:
        script = [(2.0, later), (1.0, lambda: done.append(("sync", clock.time())))]
        playing = asyncio.create_task(exchange.play(script))
        for _ in range(50):
            await asyncio.sleep(0)
            clock.advance(0.1)
        await playing

    assert [name for name, _ in done] == ["sync", "async"]
    assert [at for _, at in done] == pytest.approx([1.0, 2.0], abs=0.25)


async def test_a_script_ends_with_the_exchange() -> None:
    """What was to come later is not done."""
    clock = ManualClock()
    done: list[str] = []
    async with asyncio.timeout(10):
        async with SimulatedExchange(rate=None, clock=clock) as exchange:
            playing = asyncio.create_task(exchange.play([(9.0, lambda: done.append("late"))]))
            await asyncio.sleep(0)
        await playing

    assert done == []
    assert clock.timers == 0
    with pytest.raises(RuntimeError, match="start it"):
        await exchange.play([])


async def test_waiting_for_a_condition_that_holds_is_no_waiting() -> None:
    """And one that comes true ends the wait; a stop cancels it."""
    async with asyncio.timeout(10):
        async with SimulatedExchange(rate=None) as exchange:
            await exchange.until(lambda: True)
            produced = asyncio.create_task(exchange.until(lambda: exchange.produced == 2))
            never = asyncio.create_task(exchange.until(lambda: False))
            await asyncio.sleep(0)
            exchange.burst(2)
            await produced
            assert len(exchange._waiters) == 1
        await asyncio.wait({never})

    assert never.cancelled()
    assert exchange._waiters == []


def test_the_package_offers_what_it_lists() -> None:
    """Names are imported when they are asked for; others there are none."""
    assert testing.SimulatedExchange is SimulatedExchange
    assert all(hasattr(testing, name) for name in testing.__all__)
    with pytest.raises(AttributeError, match="Simulator"):
        _ = testing.Simulator


INNER = """
import pytest
from websockets.asyncio.client import connect

@pytest.mark.simulated_exchange("usdm", rate=None, streams=["ctkusdt@aggTrade"])
{mark}
async def test_marked(simulated_exchange):
    async with connect(simulated_exchange.combined_url()) as client:
        simulated_exchange.burst(1)
        assert "ctkusdt" in await client.recv()

{mark}
async def test_plain(simulated_exchange):
    assert "nknusdt@kline_1m" in simulated_exchange.streams
"""


@pytest.mark.parametrize(("mode", "mark"), [("auto", ""), ("strict", "@pytest.mark.asyncio")])
def test_the_fixture_works_in_both_modes_of_pytest_asyncio(tmp_path: Path, mode: str, mark: str) -> None:
    """A marker gives the arguments; without one there are the defaults."""
    (tmp_path / "test_inner.py").write_text(INNER.format(mark=mark), encoding="utf-8")
    scope = ["-o", "asyncio_default_fixture_loop_scope=function"]
    done = _pytest(tmp_path, "-o", f"asyncio_mode={mode}", *scope)

    assert "2 passed" in done.stdout


def test_the_plugin_does_without_pytest_asyncio(tmp_path: Path) -> None:
    """Where it is not installed, the plugin loads, and loads no server."""
    (tmp_path / "pytest_asyncio.py").write_text("raise ImportError", encoding="utf-8")
    (tmp_path / "test_inner.py").write_text(
        "import sys\ndef test_light(): assert 'rxws.testing.exchange' not in sys.modules\n",
        encoding="utf-8",
    )
    done = _pytest(tmp_path, "-p", "no:asyncio")

    assert "1 passed" in done.stdout


def _pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    root = Path(testing.__file__).parents[2]
    plugins = ["-p", "no:rxws", "-p", "rxws.testing.pytest_plugin", "--strict-markers"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-W", "error", *plugins, *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(folder), str(root)))},
        check=False,
    )
