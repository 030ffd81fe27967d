"""The command `rxws`: `rxws demo` shows market data that survives every kind of disconnect."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from math import inf

__all__ = ["main"]

SHORTEST, LONGEST = 2.0, 3600.0
"""Seconds that a demo may last."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit code.

    Args:
        argv: the arguments; None: those of the process.

    Raises:
        SystemExit: the arguments are wrong (2), or ask for help or the version (0).
    """
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.command is None:
        parser.print_help(sys.stderr)
        return 2
    # Imported here: `rxws --version` needs no server, and no reactivex.
    from rxws.cli.demo import demo

    return demo(arguments.seconds, plain=arguments.plain)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="rxws", description="WebSockets as observables that you can trust for weeks.")
    parser.add_argument("--version", action="version", version=f"rxws {_version()}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    about = "simulated exchanges on this machine that fail on a script, and the streams that survive them"
    show = commands.add_parser("demo", help=about, description=about.capitalize() + ".")
    show.add_argument(
        "--seconds",
        type=_seconds,
        default=20.0,
        metavar="N",
        help=f"how long it lasts, {SHORTEST:g} to {LONGEST:g}; the script is stretched to it (default: 20)",
    )
    show.add_argument(
        "--plain", action="store_true", help="lines instead of a table, as where the output is no terminal"
    )
    return parser


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = inf
    if not SHORTEST <= seconds <= LONGEST:
        raise argparse.ArgumentTypeError(f"{text!r} is out of range; take {SHORTEST:g} to {LONGEST:g} seconds")
    return seconds


def _version() -> str:
    try:
        return version("rxws")
    except PackageNotFoundError:
        return "(not installed)"
