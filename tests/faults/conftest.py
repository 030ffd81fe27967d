"""What the faults share: who knows what the client leaves behind, and what the loop's exception handler hears."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from benchmarks.reliability.raw_server import SERVER_THREAD
from benchmarks.reliability.watching import Watch
from rxws.testing import Leftovers


@pytest.fixture
async def leftovers() -> AsyncIterator[Leftovers]:
    """Know what the client makes from here on."""
    with Leftovers(threads={SERVER_THREAD}) as leftovers:
        yield leftovers


@pytest.fixture
def watch(leftovers: Leftovers) -> Any:
    """Make a `Watch`: the stream under test, its settings given."""

    def make(*args: Any, **settings: Any) -> Watch:
        return Watch(leftovers, *args, **settings)

    return make


@pytest.fixture(autouse=True)
async def unheard() -> Any:
    """What the loop's exception handler hears; a test that expects none must have none."""
    heard: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.append(context))
    expected: list[BaseException] = []
    yield expected
    assert [context.get("exception") for context in heard] == expected, heard
