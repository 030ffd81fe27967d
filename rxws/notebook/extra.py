"""The packages that only a notebook needs."""

from __future__ import annotations

from importlib.util import find_spec

from rxws.errors import ConfigError

__all__ = ["check_extra"]


def check_extra() -> None:
    """Refuse to go on where a package is missing that views of a notebook need.

    Raises:
        ConfigError: it names the package, and what installs it.
    """
    for package, name in {"anywidget": "anywidget", "PIL": "pillow"}.items():
        if find_spec(package) is None:
            raise ConfigError("rxws.notebook", f"{name} is not installed; pip install 'rxws[notebook]' installs it")
