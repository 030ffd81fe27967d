"""The docs' snippets are taken out and run as tests/snippets.py says: seen on made-up pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import snippets as engine
from tests.snippets import Snippet, hosts, redirected, run, snippets


def page(folder: Path, text: str) -> Path:
    """Write a page of docs."""
    path = folder / "PAGE.md"
    path.write_text(text, encoding="utf-8")
    return path


def only(folder: Path, text: str) -> Snippet:
    """Write a page with one snippet, and return it."""
    (snippet,) = snippets(page(folder, text))
    return snippet


def python(code: str, orders: str = "") -> str:
    """Return a page that holds one program, under a comment if `orders` are given."""
    return (f"<!-- test: {orders} -->\n" if orders else "") + f"```python\n{code}\n```\n"


def test_blocks_are_found_with_their_language_and_line(tmp_path: Path) -> None:
    """Fences of both kinds, indented ones and longer ones each give a block."""
    text = "Text\n\n```python\na\n```\n- item\n\n  ~~~sh\n  b\n  ~~~\n````\n```\nc\n````\n"

    found = snippets(page(tmp_path, text))

    assert [(s.language, s.line, s.source.strip("\n")) for s in found] == [
        ("python", 3, "a"),
        ("sh", 8, "b"),
        ("", 11, "```\nc"),
    ]
    assert [str(s) for s in found] == ["PAGE.md:3", "PAGE.md:8", "PAGE.md:11"]


def test_a_comment_is_for_the_block_below_it(tmp_path: Path) -> None:
    """Orders reach the next block, over blank lines, and no block after it."""
    text = '<!-- test: stop after 5 lines; in a notebook; read "4h" as "1s" -->\n\n' + 2 * python("")

    first, second = snippets(page(tmp_path, text))

    assert (first.stop_after, first.in_notebook, first.read_as) == (5, True, {"4h": "1s"})
    assert (second.stop_after, second.in_notebook, second.read_as) == (None, False, {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (python("", "stop soon"), "PAGE.md:2: `test: stop soon` is none of"),
        (
            "<!-- test: continues -->\nText\n" + python(""),
            "PAGE.md: above no block stands",
        ),
        ("<!-- test: continues -->\n", "PAGE.md: above no block stands"),
        (python("", "continues"), "PAGE.md:2: there is no block above"),
        ("```python\n", "PAGE.md:1: the block has no end"),
    ],
)
def test_a_page_that_says_nonsense_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """An order that is not known, or reaches no block, is an error and never passed over."""
    with pytest.raises(ValueError, match=message):
        snippets(page(tmp_path, text))


async def test_a_program_runs_and_what_it_prints_is_returned(tmp_path: Path) -> None:
    """A block is a program of its own, in which `await` may stand at the top level."""
    code = "import asyncio\nprint(await asyncio.sleep(0, __name__))"

    assert await run(only(tmp_path, python(code)), tmp_path) == "__main__\n"


async def test_a_block_knows_nothing_of_another(tmp_path: Path) -> None:
    """What one block imports is not there in the next, unless that one continues it."""
    first = python("import math")
    alone = snippets(page(tmp_path, first + python("print(math.tau)")))[1]
    joined = only(tmp_path, first + python("print(math.tau)", "continues"))

    with pytest.raises(AssertionError, match="NameError: name 'math' is not defined"):
        await run(alone, tmp_path)
    assert await run(joined, tmp_path) == "6.283185307179586\n"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("x = 1\nraise LookupError(x)", r'PAGE.md", line 3, in <module>(?s:.)*LookupError: 1'),
        ("import warnings\nwarnings.warn('old')", "UserWarning: old"),
        ("import sys\nprint('so', file=sys.stderr)", "PAGE.md:1 ended with 0\nso"),
        ("import sys\nsys.exit(130)", "PAGE.md:1 ended with 130"),
        (">>> 1 + 1\n3", r'PAGE.md", line 2(?s:.)*Expected:\n    3\nGot:\n    2'),
        ("asyncio.sleep(0)", "NameError: name 'asyncio' is not defined"),
    ],
)
async def test_a_program_that_fails_is_told(tmp_path: Path, code: str, message: str) -> None:
    """Errors, warnings, anything on stderr, a wrong answer: each with the page's own line."""
    with pytest.raises(AssertionError, match=message):
        await run(only(tmp_path, python(code)), tmp_path)


async def test_a_doctest_with_right_answers_passes(tmp_path: Path) -> None:
    """A block that begins with a prompt is checked answer by answer."""
    await run(only(tmp_path, python(">>> import math\n>>> math.tau\n6.28...")), tmp_path)


@pytest.mark.parametrize("loop", ["while True:", "import asyncio\nwhile not await asyncio.sleep(0):"])
async def test_a_program_without_end_is_stopped_like_by_hand(tmp_path: Path, loop: str) -> None:
    """After so many lines it gets a Ctrl-C, in a script and in a coroutine alike."""
    snippet = only(tmp_path, python(f"{loop}\n    print('tick')", "stop after 3 lines"))

    assert (await run(snippet, tmp_path)).startswith("tick\n" * 3)


async def test_a_program_that_ends_too_soon_is_told(tmp_path: Path) -> None:
    """Whoever asks to stop after three lines wants to see three."""
    snippet = only(tmp_path, python("print('tick')", "stop after 3 lines"))

    with pytest.raises(AssertionError, match="PAGE.md:2 printed only 1 lines"):
        await run(snippet, tmp_path)


async def test_a_program_that_hangs_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard ends what does not end, and shows what it had printed."""
    monkeypatch.setattr(engine, "GUARD", 0.0)

    with pytest.raises(AssertionError, match="PAGE.md:1 did not end"):
        await run(only(tmp_path, python("while True: pass")), tmp_path)


async def test_a_notebook_has_a_loop_that_goes_on(tmp_path: Path) -> None:
    """A cell without `await` starts what goes on after its last line."""
    code = (
        "import asyncio\n"
        "async def work():\n    while not await asyncio.sleep(0):\n        print('tick')\n"
        "task = asyncio.get_running_loop().create_task(work())\nprint('cell')"
    )
    snippet = only(tmp_path, python(code, "in a notebook; stop after 3 lines"))

    assert (await run(snippet, tmp_path)).startswith("cell\ntick\ntick\n")


async def test_a_word_is_read_as_another(tmp_path: Path) -> None:
    """What would take hours is read shorter; a word that is not there is an error."""
    assert await run(only(tmp_path, python("print('4h')", 'read "4h" as "1s"')), tmp_path) == "1s\n"
    with pytest.raises(AssertionError, match="PAGE.md:2: it holds no '5h'"):
        await run(only(tmp_path, python("print('4h')", 'read "5h" as "1s"')), tmp_path)


def test_each_host_is_found_once_and_redirected_alone() -> None:
    """Of an address the scheme, host and port are exchanged; path and query stay."""
    source = (
        'a = "wss://one.example:9443/ws/x?y=1"\nb = "wss://one.example"\n'
        'c = f"ws://two.example/{a}"\nd = f"wss://{host}/"\nb = "wss://one.example:9443/z"'
    )

    assert hosts(source) == ["wss://one.example:9443", "wss://one.example", "ws://two.example"]
    assert redirected(source, "wss://one.example", "ws://127.0.0.1:5/ws") == source.replace(
        '"wss://one.example"', '"ws://127.0.0.1:5"'
    )


async def test_every_host_is_an_exchange_of_its_own(tmp_path: Path) -> None:
    """A program that names two venues is told two addresses, and both answer."""
    code = (
        "from websockets import connect\n"
        'for url in "wss://one.example/ws", "wss://two.example/ws":\n'
        "    async with connect(url) as socket:\n"
        "        print(socket.remote_address[1])"
    )

    ports = (await run(only(tmp_path, python(code)), tmp_path)).split()

    assert len(set(ports)) == 2
