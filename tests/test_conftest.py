"""The rule of tests/conftest.py: in CI nothing skips."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).with_name("conftest.py")
SKIPPING = """
import pytest

def test_skips(): pytest.skip("no such venue")

@pytest.mark.skipif(True, reason="no such system")
def test_is_skipped(): ...

@pytest.mark.xfail(reason="known")
def test_is_expected_to_fail(): assert False

def test_passes(): ...
"""
FILES = {
    "tests/conftest.py": CONFTEST.read_text(encoding="utf-8"),
    "tests/test_skipping.py": SKIPPING,
    "tests/test_file.py": "import pytest\npytest.importorskip('no_such_module')",
    "package/module.py": 'def f():\n    """\n    >>> f()  # doctest: +SKIP\n    """',
}


@pytest.mark.parametrize(
    ("ci", "summary"),
    [("", "1 passed, 5 skipped, 1 xfailed"), ("true", "2 failed, 1 passed, 1 xfailed, 3 errors")],
)
def test_a_skip_is_a_failure_in_ci(tmp_path: Path, ci: str, summary: str) -> None:
    """With CI set, skipped tests, files and doctests fail and say why; without it they skip."""
    for name, source in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(source, encoding="utf-8")
    arguments = ["-p", "no:rxws", "--continue-on-collection-errors", "tests", "--doctest-modules"]

    done = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments, "package"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "CI": ci, "PYTHONPATH": str(CONFTEST.parents[1])},
    )

    assert summary in done.stdout
    assert ("In CI nothing skips" in done.stdout) == bool(ci)
    assert done.returncode == bool(ci)
