"""What all tests share: our own pytest plugin, hypothesis without a clock, and no skips in CI."""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import settings

# Loaded by name, as pyproject.toml says; users get it from the entry point.
pytest_plugins = ["rxws.testing.pytest_plugin"]

# The first is for a type checker, the second is a program that test_docs.py starts.
collect_ignore = ["typing", "run_snippet.py"]

IN_CI = bool(os.environ.get("CI"))

# A deadline would measure the machine; in CI the same examples come in every run.
settings.register_profile("rxws", deadline=None, derandomize=IN_CI)
settings.load_profile("rxws")


class SkipsFail:
    """Makes a skipped test, or a skipped file of tests, a failed one that says why it skipped."""

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self,
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if not hasattr(report, "wasxfail"):
            _fail_if_skipped(report)
        return report

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_make_collect_report(
        self,
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        report = yield
        _fail_if_skipped(report)
        return report


def _fail_if_skipped(report: Any) -> None:  # Any: the two kinds of report share no public class
    if report.outcome == "skipped":
        _, _, reason = report.longrepr
        report.outcome = "failed"
        report.longrepr = f"In CI nothing skips, and this did. {reason}"


def pytest_configure(config: pytest.Config) -> None:
    """Register what fails skips; as a plugin of its own it sees the doctests of the package too."""
    if IN_CI:
        config.pluginmanager.register(SkipsFail(), "skips_fail")
