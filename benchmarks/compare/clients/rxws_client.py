"""rxws: `ws_observable` and `subscribe`; where the consumer awaits, `rxws.aiter`."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

from benchmarks.compare.clients.report import ConsumerError, Report, cancelled, until_stopped, watched
from benchmarks.compare.settings import BURST_PAUSE, FIRST_DELAY, IDLE, LARGEST_DELAY, PING, SLOW_PAUSE, SUBSCRIPTIONS
from rxws import Backoff, aiter, ws_observable

SETTINGS: dict[str, dict[str, Any]] = {
    "silent": {"idle_timeout": IDLE},
    "half-open": {"ping_interval": PING, "ping_timeout": PING},
    "slow": {"ping_interval": PING, "ping_timeout": PING},
    "subscriptions": {"subscriptions": SUBSCRIPTIONS},
}


async def main(row: str, url: str) -> None:
    """Play one row."""
    report = Report()
    retry = Backoff(initial=FIRST_DELAY, cap=LARGEST_DELAY)
    stream = ws_observable(url, retry=retry, **SETTINGS.get(row, {}))

    def on_next(value: object) -> None:
        report.received += 1
        if row == "exception" and report.received == 3:
            raise ConsumerError

    async def iterate() -> None:
        async for _ in aiter(stream):
            report.received += 1
            if row == "burst":
                time.sleep(BURST_PAUSE)  # noqa: ASYNC251  # work that keeps the loop busy
                await asyncio.sleep(0)
            else:
                await asyncio.sleep(SLOW_PAUSE)

    if row in ("burst", "slow"):
        task = asyncio.create_task(watched(report, iterate()))
        await until_stopped(report, lambda: cancelled(task))
        return

    # What a consumer raises in on_next goes to the loop's exception handler; asyncio's own one logs it.
    asyncio.get_running_loop().set_exception_handler(lambda _, context: report.error(context["exception"]))
    subscription = stream.subscribe(on_next, report.error, report.completed)

    async def stop() -> None:
        subscription.dispose()

    await until_stopped(report, stop)


asyncio.run(main(*sys.argv[1:]))
