"""Outside of a notebook: in a script, in IPython's terminal, and where a package is missing."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest


def run(code: str) -> subprocess.CompletedProcess[str]:
    """Run a program of its own."""
    shell = [sys.executable, "-W", "error", "-c", textwrap.dedent(code)]
    return subprocess.run(shell, capture_output=True, text=True, check=False, timeout=60)


def test_a_script_waits_and_takes_a_picture() -> None:
    """With no IPython, and nothing of it imported."""
    done = run("""
        import asyncio, sys
        import reactivex as rx
        from rxws.notebook import live_plot
        async def main():
            chart = live_plot({"a": rx.concat(rx.of(1, 2), rx.never())})
            await chart.wait(0.05)
            print(chart, chart.png()[:4], {"IPython", "anywidget", "ipywidgets"} & set(sys.modules))
        asyncio.run(main())
    """)
    assert (done.stdout, done.stderr) == ("<LiveChart a 2 · 2 events · stopped> b'\\x89PNG' set()\n", "")


def test_as_a_context_manager_it_lives_within() -> None:
    """It is a disposable, too."""
    done = run("""
        import asyncio
        import reactivex as rx
        from rxws.notebook import live_table
        async def main():
            with live_table(rx.never()) as table:
                print(table.status)
            print(table.status)
        asyncio.run(main())
    """)
    assert (done.stdout, done.stderr) == ("live\nstopped\n", "")


def test_without_a_running_loop_one_line_says_what_to_do() -> None:
    """Starting it raises; so does subscribing to what `plot` made."""
    done = run("""
        import reactivex as rx
        from rxws.errors import ConfigError
        from rxws.notebook import live_plot, plot
        subscribed = []
        stream = rx.defer(lambda _: subscribed.append(1) or rx.never())
        for start in (live_plot({"a": stream}).start, live_plot({"a": stream}).show, stream.pipe(plot()).subscribe):
            try:
                start()
            except ConfigError as error:
                print(error)
        print(subscribed)
    """)
    *lines, last = done.stdout.splitlines()
    assert len(lines) == 3 and len(set(lines)) == 1
    assert "no event loop is running here" in lines[0] and "asyncio.run" in lines[0]
    assert last == "[]"


def test_in_a_terminal_without_a_loop_one_line_says_so() -> None:
    """IPython shows the last expression; there is no traceback."""
    done = run("""
        from IPython.core.interactiveshell import InteractiveShell
        shell = InteractiveShell.instance()
        shell.run_cell("import reactivex as rx; from rxws.notebook import live_plot")
        shell.run_cell("live_plot({'a': rx.never()})")
    """)
    assert "Traceback" not in done.stdout + done.stderr
    assert done.stderr.count("\n") == 1 and "no event loop is running here" in done.stderr


def test_in_a_terminal_with_a_loop_it_says_how_it_is() -> None:
    """There is no browser, and nothing that shows pictures: one line when it begins, one when it ends."""
    done = run("""
        from IPython.core.interactiveshell import InteractiveShell
        shell = InteractiveShell.instance()
        shell.run_cell("import reactivex as rx; from rxws.notebook import live_plot")
        shell.run_cell("chart = live_plot({'a': rx.of(1)})\\nawait chart.wait()\\nchart")
    """)
    assert "<LiveChart a 1 · 1 event · completed>" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize(("module", "package"), [("anywidget", "anywidget"), ("PIL", "pillow")])
@pytest.mark.parametrize("make", ["live_plot({'a': rx.never()})", "plot()", "live_table(rx.never())"])
def test_a_missing_package_is_named(module: str, package: str, make: str) -> None:
    """And so is what installs it."""
    done = run(f"""
        import sys
        sys.modules[{module!r}] = None
        import reactivex as rx
        from rxws.notebook import live_plot, live_table, plot
        {make}
    """)
    last = done.stderr.strip().splitlines()[-1]
    assert last == (
        f"rxws.errors.ConfigError: rxws.notebook: {package} is not installed; pip install 'rxws[notebook]' installs it"
    )
