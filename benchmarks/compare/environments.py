"""Environments for the clients that cannot live beside rxws, made under build/compare when they are missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.compare.columns import KSTLIB, RXJS, Absent, Column, as_json, column
from benchmarks.compare.trial import ROOT, Program, python

BUILD = ROOT / "build" / "compare"
KSTLIB_VERSION = "3.8.2"  # it wants websockets 15, and rxws wants 17
RXJS_PACKAGES = ("rxjs@~7.8.2", "ws@^8.23.0")
SHOW = "console.log(`RxJS ${require('rxjs/package.json').version}, ws ${require('ws/package.json').version}`)"


def virtual(folder: Path, *wanted: str) -> str:
    """Make a virtual environment if it is missing, install into it, and return its Python.

    Args:
        folder: where it is.
        wanted: what pip is given.

    Raises:
        CalledProcessError: pip could not install it.
    """
    interpreter = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not interpreter.exists():
        _run([sys.executable, "-m", "venv", "--clear", str(folder)])
    _run([str(interpreter), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted])
    return str(interpreter)


def kstlib() -> Column | Absent:
    """Make a virtual environment with kstlib."""
    try:
        interpreter = virtual(BUILD / "kstlib", f"kstlib=={KSTLIB_VERSION}")
    except subprocess.CalledProcessError as error:
        return Absent(KSTLIB, f"pip could not install it (status {error.returncode})")
    return column(KSTLIB, f"kstlib {KSTLIB_VERSION}", python("kstlib_client", interpreter))


def rxjs() -> Column | Absent:
    """Install RxJS and ws with npm."""
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            return Absent(RXJS, f"{tool} is missing")
    folder = BUILD / "rxjs"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        _run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), *RXJS_PACKAGES])
        environment = {"NODE_PATH": str(folder / "node_modules")}
        heading = _run(["node", "-e", SHOW], environment).strip()
    except subprocess.CalledProcessError as error:
        return Absent(RXJS, f"npm could not install it (status {error.returncode})")
    script = Path(__file__).parent / "clients" / "rxjs_client.cjs"
    return column(RXJS, heading, Program(["node", str(script)], environment, [as_json()]))


def _run(command: Sequence[str], environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, check=True, env={**os.environ, **(environment or {})}
    )
    return done.stdout
