"""The cases of the Autobahn TestSuite's fuzzing server, groups 1 to 7, 10, 12.1.1 and 12.2.1, as data.

Each says what the server sends, what a strict client answers, and how it closes. The numbers and the expectations are
Autobahn's, so that its reports can be read beside ours; its waits of a second are pauses of some turns of the loop.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from tests.transport.raw_server import BINARY, CLOSE, CONT, PING, PONG, TEXT, Frame, close, frame
from tests.transport.utf8_sequences import GREEK, SEQUENCES


@dataclass(frozen=True)
class Octets:
    """Bytes that are written in pieces of `size`."""

    data: bytes
    size: int


PAUSE = None
Step = bytes | Octets | None

DROPPED = 0
"""Stands among the close codes: the client may end TCP without a close frame."""


@dataclass(frozen=True)
class Case:
    """What the server does, and what may come of it.

    `script` is played step by step, each in a segment of its own. Then, once `answers` have come, `goodbye` is sent:
    empty where the script holds a close frame, or where it is the client that has to close. `lenient` are answers that
    are classed NON-STRICT, as failing after the last step is where `fast` asks for it before; `codes` may stand in the
    client's close frame; a case that is informational cannot fail. A compressed one sends messages.
    """

    number: str
    script: tuple[Step, ...]
    answers: tuple[Frame, ...] = ()
    lenient: tuple[tuple[Frame, ...], ...] = ()
    goodbye: bytes = close(1000)
    codes: frozenset[int] = frozenset({1000, 1005})
    fast: bool = False
    informational: bool = False
    compressed: bool = False


HELLO = b"Hello, world!"
ODD = b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff"
EDITED = b"edited"


def numbered(group: str, cases: Iterable[Case]) -> Iterator[Case]:
    """Number the cases of a group from 1."""
    for number, case in enumerate(cases, 1):
        yield replace(case, number=f"{group}.{number}")


def echoed(*script: Step, answers: Iterable[Frame]) -> Case:
    """Return a case in which all is good; the server closes."""
    return Case("", script, tuple(answers))


def failed(*script: Step, after: Frame | None = None, code: int = 1002) -> Case:
    """Return a case in which the client must fail the connection, after an answer or without one."""
    answers = () if after is None else (after,)
    return Case("", script, answers, ((),), b"", frozenset({code, DROPPED}))


def closed(*script: Step, codes: Iterable[int] = (1000,)) -> Case:
    """Return a case whose script holds a close frame."""
    return Case("", script, goodbye=b"", codes=frozenset(codes))


def framing(opcode: int, byte: bytes) -> Iterator[Case]:
    """Group 1: one frame of each kind of length."""
    for size in (0, 125, 126, 127, 128, 65_535, 65_536):
        yield echoed(frame(opcode, byte * size), answers=[Frame(opcode, byte * size)])
    yield echoed(Octets(frame(opcode, byte * 65_536), 997), answers=[Frame(opcode, byte * 65_536)])


def pings() -> Iterator[Case]:
    """Group 2: pings are answered, pongs are not."""
    for payload in (b"", HELLO, ODD, b"\xfe" * 125):
        yield echoed(frame(PING, payload), answers=[Frame(PONG, payload)])
    yield failed(frame(PING, b"\xfe" * 126))
    yield echoed(Octets(frame(PING, b"\xfe" * 125), 1), answers=[Frame(PONG, b"\xfe" * 125)])
    unsolicited = frame(PONG, b"unsolicited pong payload")
    yield echoed(frame(PONG), answers=[])
    yield echoed(unsolicited, answers=[])
    yield echoed(unsolicited + frame(PING, b"ping payload"), answers=[Frame(PONG, b"ping payload")])
    ten = [b"payload-%d" % n for n in range(10)]
    asked, answers = b"".join(frame(PING, each) for each in ten), [Frame(PONG, each) for each in ten]
    yield echoed(asked, answers=answers)
    yield echoed(Octets(asked, 1), answers=answers)


def reserved_bits() -> Iterator[Case]:
    """Group 3: each of them is wrong where no extension gives it a meaning."""
    good, echo = frame(TEXT, HELLO), Frame(TEXT, HELLO)
    yield failed(frame(TEXT, HELLO, rsv=1))
    yield failed(good + frame(TEXT, HELLO, rsv=2) + frame(PING), after=echo)
    yield failed(good, frame(TEXT, HELLO, rsv=3), frame(PING), after=echo)
    yield failed(Octets(good + frame(TEXT, HELLO, rsv=4) + frame(PING), 1), after=echo)
    yield failed(frame(BINARY, ODD, rsv=5))
    yield failed(frame(BINARY, HELLO, rsv=6))
    yield failed(frame(CLOSE, rsv=7))


def opcodes(first: int) -> Iterator[Case]:
    """Group 4: the five reserved ones from `first` on."""
    good, echo = frame(TEXT, HELLO), Frame(TEXT, HELLO)
    yield failed(frame(first))
    yield failed(frame(first + 1, b"reserved opcode payload"))
    yield failed(good + frame(first + 2) + frame(PING), after=echo)
    yield failed(good + frame(first + 3, HELLO) + frame(PING), after=echo)
    yield failed(Octets(good + frame(first + 4, HELLO) + frame(PING), 1), after=echo)


def fragmentation() -> Iterator[Case]:
    """Group 5: data frames may be fragmented, control frames not, and a continuation needs what it continues."""
    parts = [b"fragment%d" % n for n in range(1, 6)]
    one, two = frame(TEXT, parts[0], fin=False), frame(CONT, parts[1])
    ping, pong, echo = frame(PING, b"ping payload"), Frame(PONG, b"ping payload"), Frame(TEXT, parts[0] + parts[1])
    for opcode in (PING, PONG):
        yield failed(frame(opcode, parts[0], fin=False) + two)
    yield from ways([one, two], lambda *script: echoed(*script, answers=[echo]))
    yield from ways([one, ping, two], lambda *script: echoed(*script, answers=[pong, echo]))
    for fin in (True, False):
        yield from ways([frame(CONT, b"non-continuation payload", fin=fin), frame(TEXT, HELLO)], failed)
    yield failed(one + two + frame(CONT, parts[2], fin=False) + frame(TEXT, parts[3]), after=echo)
    for fin in (False, True):
        yield failed((frame(CONT, parts[0], fin=fin) + frame(TEXT, parts[1], fin=False) + frame(CONT, parts[2])) * 2)
    yield failed(one + frame(TEXT, parts[1]))
    first = [one, frame(CONT, parts[1], fin=False), frame(PING, b"pongme 1!")]
    third, fourth = (frame(CONT, part, fin=False) for part in parts[2:4])
    rest = [third, fourth, frame(PING, b"pongme 2!"), frame(CONT, parts[4])]
    answers = [Frame(PONG, b"pongme 1!"), Frame(PONG, b"pongme 2!"), Frame(TEXT, b"".join(parts))]
    yield echoed(b"".join(first), PAUSE, b"".join(rest), answers=answers)
    yield echoed(*first, PAUSE, *rest, answers=answers)


def ways(frames: list[bytes], case: Callable[..., Case]) -> Iterator[Case]:
    """Yield a case three times: in one segment, frame by frame, octet by octet."""
    yield case(b"".join(frames))
    yield case(*frames)
    yield case(Octets(b"".join(frames), 1))


def in_frames(payload: bytes, *cuts: int) -> list[bytes]:
    """Return a text message as frames, cut before these places."""
    parts = [payload[start:end] for start, end in zip((0, *cuts), (*cuts, len(payload)), strict=True)]
    return [frame(CONT if at else TEXT, part, fin=at == len(cuts)) for at, part in enumerate(parts)]


def utf8() -> Iterator[Case]:
    """Groups 6.1 to 6.4: empty messages, good text, bad text, and bad text that can be known early."""
    for parts in ([b""], [b"", b"", b""], [b"", b"middle frame payload", b""]):
        frames = [frame(CONT if at else TEXT, part, fin=at == len(parts) - 1) for at, part in enumerate(parts)]
        yield echoed(b"".join(frames), answers=[Frame(TEXT, b"".join(parts))])
    text = "Hello-µ@ßöäüàá-UTF-8!!".encode()
    for cuts in ([], [15], [*range(1, len(text) + 1)]):
        yield echoed(b"".join(in_frames(text, *cuts)), answers=[Frame(TEXT, text)])
    yield echoed(b"".join(in_frames(GREEK, *range(1, len(GREEK) + 1))), answers=[Frame(TEXT, GREEK)])
    bad = GREEK + b"\xed\xa0\x80" + EDITED
    for cuts in ([], [*range(1, len(bad) + 1)]):
        yield failed(b"".join(in_frames(bad, *cuts)), code=1007)
    bad, at = GREEK + b"\xf4\x90\x80\x80" + EDITED, len(GREEK)
    places, whole = ((at, at + 4), (at + 1, at + 2)), frame(TEXT, bad)
    pieces = [[whole[: start + 2], whole[start + 2 : end + 2], whole[end + 2 :]] for start, end in places]
    for first, second, third in [*(in_frames(bad, *cuts) for cuts in places), *pieces]:
        yield replace(failed(first, PAUSE, second, PAUSE, third, code=1007), fast=True)


def sequence(payload: bytes) -> Case:
    """Return the case of one UTF-8 sequence, good or bad."""
    try:
        payload.decode()
    except UnicodeDecodeError:
        return failed(frame(TEXT, payload), code=1007)
    return echoed(frame(TEXT, payload), answers=[Frame(TEXT, payload)])


def closing() -> Iterator[Case]:
    """Group 7: close frames, and what comes behind them."""
    normal, text = close(1000), frame(TEXT, b"Hello World!")
    first, second = frame(TEXT, b"fragment1", fin=False), frame(CONT, b"fragment2")
    yield Case("7.1.1", (text,), (Frame(TEXT, b"Hello World!"),), codes=frozenset({1000}))
    much = (b"BAsd7&jh23" * 26_215)[: 2**18]
    for number, after in enumerate([frame(CLOSE), frame(PING), text], 2):
        yield replace(closed(normal + after), number=f"7.1.{number}")
    yield replace(closed(first + normal + second), number="7.1.5")
    yield replace(closed(frame(TEXT, much) + text + normal + frame(PING)), number="7.1.6", informational=True)
    yield from numbered("7.3", closes())
    yield replace(closed(close(1000, GREEK + b"\xed\xa0\x80" + EDITED), codes=(1002, 1007, DROPPED)), number="7.5.1")
    good = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999)
    yield from numbered("7.7", (closed(close(code), codes=(1000, code)) for code in good))
    bad = (0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999)
    yield from numbered("7.9", (closed(close(code), codes=(1002, DROPPED)) for code in bad))
    undefined = (closed(close(code), codes=(1000, code, 1002, DROPPED)) for code in (5000, 65_535))
    yield from numbered("7.13", (replace(case, informational=True) for case in undefined))


def closes() -> Iterator[Case]:
    """Group 7.3: close frames of all lengths."""
    yield closed(frame(CLOSE), codes=(1000, 1005))
    yield closed(frame(CLOSE, b"a"), codes=(1002, DROPPED))
    yield closed(close(1000))
    yield closed(close(1000, b"Hello World!"))
    yield closed(close(1000, b"*" * 123))
    yield closed(close(1000, b"*" * 124), codes=(1002, DROPPED))


def compressed() -> Iterator[Case]:
    """Groups 12.1.1 and 12.2.1: a thousand messages of 16 bytes, of JSON and of a picture."""
    words = (f'"{n:03x}": {{"price": {n * 7919 % 100_000 / 100}, "side": "buy"}}, ' for n in range(1000))
    json, picture = "".join(words).encode(), random.Random(6455).randbytes(500) * 40
    for number, opcode, data in (("12.1.1", TEXT, json), ("12.2.1", BINARY, picture)):
        messages = tuple(data[start : start + 16] for start in range(0, 16_000, 16))
        answers = tuple(Frame(opcode, message, rsv=4) for message in messages)
        script = tuple(frame(opcode, message, rsv=4) for message in messages)
        yield Case(number, script, answers, codes=frozenset({1000}), compressed=True)


def all_cases() -> Iterator[Case]:
    """Yield the cases in their order."""
    yield from numbered("1.1", framing(TEXT, b"*"))
    yield from numbered("1.2", framing(BINARY, b"\xfe"))
    yield from numbered("2", pings())
    yield from numbered("3", reserved_bits())
    yield from numbered("4.1", opcodes(0x3))
    yield from numbered("4.2", opcodes(0xB))
    yield from numbered("5", fragmentation())
    texts = list(utf8())
    for group, start, end in (("6.1", 0, 3), ("6.2", 3, 7), ("6.3", 7, 9), ("6.4", 9, 13)):
        yield from numbered(group, texts[start:end])
    for place, payloads in enumerate(SEQUENCES, 5):
        yield from numbered(f"6.{place}", map(sequence, payloads))
    yield from closing()
    auto = b"*" * 65_536
    frames = in_frames(auto, *range(1300, 65_536, 1300))
    yield replace(echoed(b"".join(frames), answers=[Frame(TEXT, auto)]), number="10.1.1")
    yield from compressed()


CASES = {case.number: case for case in all_cases()}
