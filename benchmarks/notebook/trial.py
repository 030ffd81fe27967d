"""One chart in a real JupyterLab and a real browser, watched from outside."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import quantiles
from time import monotonic, sleep
from typing import Any

import psutil
from playwright.sync_api import Browser

from tests.notebook.browser.lab import Lab, Person

WARM_UP = 10.0
"""Seconds before anything is measured: imports, the first canvas, the just-in-time compiler of the page."""

CHART = """
import os
import reactivex as rx
from reactivex import operators as ops
from rxws import ws_observable
from rxws.notebook import live_candles
from rxws.operators import filter_kline

def price(frame):
    return float(frame["data"]["p"])

klines, here, there = [ws_observable(url) for url in {urls}]
spread = rx.combine_latest(here.pipe(ops.map(price)), there.pipe(ops.map(price))).pipe(
    ops.map(lambda prices: prices[0] - prices[1])
)
chart = live_candles(klines.pipe(filter_kline), lines={{"spread": spread}}, autostop=None)
print(os.getpid())
"""

# Notes, with every frame that the browser paints, how old the values are that it shows for the first time.
WATCH = """
() => {
  const store = [...globalThis.__rxws.values()].at(-1);
  const watch = (globalThis.__watch = { frames: 0, newest: [], every: [], began: performance.now() });
  let drawn = store.drawn;
  let last = store.lines.get("spread").points.at(-1)[0];
  const seen = () => {
    if (store.drawn !== drawn) {
      drawn = store.drawn;
      const now = performance.timeOrigin + performance.now();
      const fresh = store.lines.get("spread").points.filter(([t]) => t > last).map(([t]) => t);
      if (fresh.length) {
        last = fresh.at(-1);
        watch.newest.push(now - last);
        for (const t of fresh) watch.every.push(now - t);
      }
    }
  };
  const look = () => {
    watch.frames += 1;
    setTimeout(seen); // behind what else this frame calls, the chart among it
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}
"""
WATCHED = """
() => {
  const { frames, newest, every, began } = globalThis.__watch;
  return { fps: (frames * 1000) / (performance.now() - began), newest, every };
}
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """What was seen of a chart."""

    events: float
    """Events a second that came."""
    cpu: float
    """Of one core, the kernel's share, with the clients and the pipeline in it, in percent."""
    rss: tuple[float, float]
    """Of the kernel, at the beginning and at the end, in MB."""
    messages: float
    """Messages a second to the chart in the browser."""
    fps: float
    """Frames a second that the browser paints."""
    latency: tuple[float, float]
    """From the arrival of the newest value of a frame in the kernel until it is drawn, in ms: median, 95 %."""
    latency_of_every: tuple[float, float]
    """The same of every value, those included that wait for the next frame."""
    heap: tuple[float, float]
    """Of the page, after a collection, at the beginning and at the end, in MB."""
    main_thread: float
    """The share of time in which the page's thread works, in percent."""


def measure(lab: Lab, chromium: Browser, events: float, seconds: float) -> Measured:
    """Show a chart of so many events a second, for so long."""
    with exchanges(events) as urls:
        name = f"events-{events:g}"
        lab.write(name, CHART.format(urls=urls), "chart", "print(chart.events_in)")
        context = chromium.new_context(viewport={"width": 1280, "height": 900})
        person = Person(lab, context.new_page(), name)
        try:
            person.run(0, 1)
            kernel = psutil.Process(int(person.text(0)))
            person.until_store("store.lines.get('spread')?.points.length > 0 && store.candles.length > 1")
            sleep(WARM_UP)
            return watch(person, kernel, seconds)
        finally:
            person.leave()


def watch(person: Person, kernel: psutil.Process, seconds: float) -> Measured:
    """Look at it for so long."""
    devtools = person.page.context.new_cdp_session(person.page)
    devtools.send("Performance.enable")
    heap = [collected(devtools)]
    person.run(2)
    events = [int(person.text(2))]
    rss = [kernel.memory_info().rss / 1e6]
    person.page.evaluate(WATCH)
    before, began = snapshot(person, kernel, devtools), monotonic()
    person.page.wait_for_timeout(seconds * 1_000)
    after, took = snapshot(person, kernel, devtools), monotonic() - began
    seen = person.page.evaluate(WATCHED)
    rss.append(kernel.memory_info().rss / 1e6)
    heap.append(collected(devtools))
    person.run(2)
    events.append(int(person.text(2)))
    cpu, frames, tasks = ((new - old) / took for old, new in zip(before, after, strict=True))
    return Measured(
        events=(events[1] - events[0]) / took,
        cpu=cpu * 100,
        rss=(rss[0], rss[1]),
        messages=frames,
        fps=seen["fps"],
        latency=middle_and_high(seen["newest"]),
        latency_of_every=middle_and_high(seen["every"]),
        heap=(heap[0], heap[1]),
        main_thread=tasks * 100,
    )


def snapshot(person: Person, kernel: psutil.Process, devtools: Any) -> tuple[float, float, float]:
    """Return seconds of the kernel's CPU, frames told, and seconds that the page has worked."""
    spent = kernel.cpu_times()
    metrics = {each["name"]: each["value"] for each in devtools.send("Performance.getMetrics")["metrics"]}
    return spent.user + spent.system, person.store()["frames"], metrics["TaskDuration"]


def collected(devtools: Any) -> float:
    """Return what the page still holds after a collection, in MB."""
    devtools.send("HeapProfiler.collectGarbage")
    used: float = devtools.send("Runtime.getHeapUsage")["usedSize"]
    return used / 1e6


def middle_and_high(values: list[float]) -> tuple[float, float]:
    """Return the median, and what 95 % are below."""
    cuts = quantiles(values, n=20)
    return cuts[9], cuts[18]


@contextmanager
def exchanges(events: float) -> Iterator[list[str]]:
    """Run the exchanges, and return where they are."""
    command = [sys.executable, "-m", "benchmarks.notebook.exchange", str(events)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield [process.stdout.readline().strip() for _ in range(3)]
        process.stdin.close()
