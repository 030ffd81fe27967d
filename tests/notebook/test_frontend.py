"""The browser's side: its own tests, and that what the wheel carries is made of the sources that are here."""

from __future__ import annotations

import filecmp
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FRONTEND = ROOT / "frontend"
STATIC = ROOT / "rxws/notebook/static"


@pytest.fixture(autouse=True)
def node() -> None:
    """Node and npm, or no test."""
    for command in ("node", "npm"):
        if shutil.which(command) is None:
            pytest.skip(f"{command} is missing, which the browser's side is tested and made with; users need it not")


def run(*command: str, cwd: Path, **environment: str) -> str:
    """Run a command that must succeed."""
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_its_own_tests_pass() -> None:
    """Store, axis, words, spans and legend, which know no browser."""
    told = run("node", "--test", "--test-reporter=tap", cwd=FRONTEND)
    assert "# pass 0" not in told
    assert "# fail 0" in told


def test_the_bundle_is_made_of_these_sources(tmp_path: Path) -> None:
    """Built anew, with the versions that are locked, it is the same to the byte: `make frontend` was not forgotten."""
    sources = tmp_path / "frontend"
    shutil.copytree(FRONTEND, sources, ignore=shutil.ignore_patterns("node_modules"))
    run("npm", "ci", "--no-audit", "--no-fund", cwd=sources, npm_config_cache=str(tmp_path / "cache"))
    run("node", "build.mjs", str(tmp_path / "built"), cwd=sources)
    names = sorted(path.name for path in STATIC.iterdir())
    assert names == ["LICENSE.uPlot", "live.js"]
    _, different, missing = filecmp.cmpfiles(STATIC, tmp_path / "built", names, shallow=False)
    assert (different, missing) == ([], [])


def test_the_licence_of_what_is_bundled_goes_with_it() -> None:
    """MIT: the notice stands in all copies."""
    assert "Leon Sorokin" in (STATIC / "LICENSE.uPlot").read_text(encoding="utf-8")
    assert "LICENSE.uPlot" in (STATIC / "live.js").read_text(encoding="utf-8")[:200]
