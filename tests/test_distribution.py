"""What is built from this tree is whole: users install the wheel, not the tree."""

from __future__ import annotations

import subprocess
import sys
from email import message_from_string
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[1]
NOTICE = "This product includes software developed by Bryant Moscon (http://www.bryantmoscon.com/)"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    """Build the wheel with the project's own build backend."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory"]
    subprocess.run([*build, str(folder)], check=True, capture_output=True, cwd=ROOT)
    (path,) = folder.glob("*.whl")
    return ZipFile(path)


@pytest.fixture(scope="module")
def installed(wheel: ZipFile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpack the wheel into a folder of its own, which is all that installing a pure one does."""
    folder = tmp_path_factory.mktemp("site")
    wheel.extractall(folder)
    return folder


def python(folder: Path, *arguments: str) -> str:
    """Run Python where rxws is the unpacked wheel and this tree is out of sight."""
    # -I would hide the folder too; -P keeps the working directory off the path.
    done = subprocess.run(
        [sys.executable, "-P", *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PATH": "", "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_holds_all_of_the_package_and_nothing_else(wheel: ZipFile) -> None:
    """Every file of rxws/ is in the wheel; beside them only its metadata: no tests, no docs."""
    tree = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "rxws").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    packed = {name for name in wheel.namelist() if not name.endswith("/")}

    assert {name for name in packed if ".dist-info/" not in name} == tree
    assert "rxws/py.typed" in packed


def test_the_recorded_frames_come_with_their_notice(wheel: ZipFile) -> None:
    """Who recorded the frames asks for one line wherever they are passed on."""
    frames = [name for name in wheel.namelist() if name.endswith(".jsonl")]
    texts = [wheel.read(name).decode() for name in wheel.namelist() if name.startswith("rxws/")]

    assert frames
    assert any(NOTICE in text for text in texts)


def test_the_metadata_says_what_users_rely_on(installed: Path) -> None:
    """Licence, Python version, extras and the long description are in the wheel's metadata."""
    (path,) = installed.glob("*.dist-info/METADATA")
    text = path.read_text(encoding="utf-8")
    about = message_from_string(text)

    assert about["License-Expression"] == "MIT"
    assert about["Requires-Python"] == ">=3.11"
    assert set(about.get_all("Provides-Extra") or ()) == {"all", "cli", "dev", "fast", "notebook"}
    assert text.endswith("\n\n" + (ROOT / "README.md").read_text(encoding="utf-8"))


def test_the_installed_package_imports_and_its_command_is_there(installed: Path) -> None:
    """The entry points lead somewhere: the command `rxws`, and the plugin for pytest."""
    code = """
import rxws
from importlib.metadata import distribution
for point in distribution("rxws").entry_points:
    print(point.group, point.name, bool(point.load()))
print(rxws.__file__)
"""
    *points, place = python(installed, "-c", code).splitlines()

    assert sorted(points) == ["console_scripts rxws True", "pytest11 rxws True"]
    assert Path(place).is_relative_to(installed)


def test_pytest_finds_the_plugin_of_the_installed_package(installed: Path) -> None:
    """Whoever has installed rxws has its fixtures, without naming them anywhere."""
    fixtures = python(installed, "-m", "pytest", "--fixtures", "-p", "no:cacheprovider")

    assert "fixtures defined from rxws.testing.pytest_plugin" in fixtures
