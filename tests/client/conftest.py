"""What the tests of the client share: who knows what it leaves behind, and what the loop's exception handler hears."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from benchmarks.reliability.raw_server import SERVER_THREAD
from rxws.testing import Leftovers
from tests.client.hand import Hand


@pytest.fixture
async def hand() -> AsyncIterator[Hand]:
    """Make clients."""
    with Leftovers(threads={SERVER_THREAD}) as leftovers:
        yield Hand(leftovers)


@pytest.fixture(autouse=True)
async def unheard() -> Any:
    """What the loop's exception handler hears; a test that expects none must have none."""
    heard: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.append(context))
    expected: list[BaseException] = []
    yield expected
    assert [context.get("exception") for context in heard] == expected, heard
