"""Groups 6.5 to 6.23 of the cases: good and bad UTF-8, after Markus Kuhn's stress test of decoders."""

from __future__ import annotations

GREEK = "κ\u1f79σμε".encode()

NO_END = [b"\xc0", b"\xe0\x80", b"\xf0\x80\x80", b"\xf8" + b"\x80" * 3, b"\xfc" + b"\x80" * 4]
NO_END += [b"\xdf", b"\xef\xbf", b"\xf7\xbf\xbf", b"\xfb" + b"\xbf" * 3, b"\xfd" + b"\xbf" * 4]
SURROGATES = [b"\xed\xa0\x80", b"\xed\xad\xbf", b"\xed\xae\x80", b"\xed\xaf\xbf"]

SEQUENCES: list[list[bytes]] = [
    [b"hello" + "$¢€𤭢"[n].encode() + b"world" for n in range(4)] + [GREEK],
    [GREEK[:size] for size in range(1, len(GREEK) + 1)],
    [b"\x00", b"\xc2\x80", b"\xe0\xa0\x80", b"\xf0\x90\x80\x80"],
    [b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80"],
    [b"\x7f", b"\xdf\xbf", b"\xef\xbf\xbf", b"\xf4\x8f\xbf\xbf"],
    [b"\xf7\xbf\xbf\xbf", b"\xfb" + b"\xbf" * 4, b"\xfd" + b"\xbf" * 5],
    [b"\xed\x9f\xbf", b"\xee\x80\x80", b"\xef\xbf\xbd", b"\xf4\x8f\xbf\xbf", b"\xf4\x90\x80\x80"],
    [b"\x80", b"\xbf", *[(b"\x80\xbf" * 3)[:size] for size in range(2, 7)], bytes(range(0x80, 0xBF))],
    [
        b"".join(bytes([lead]) + b" " for lead in range(*leads))
        for leads in ((0xC0, 0xDF), (0xE0, 0xEF), (0xF0, 0xF7), (0xF8, 0xFB), (0xFC, 0xFD))
    ],
    NO_END,
    [b"".join(NO_END)],
    [b"\xfe", b"\xff", b"\xfe\xfe\xff\xff"],
    [b"\xc0\xaf", b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf", b"\xf8\x80\x80\x80\xaf", b"\xfc\x80\x80\x80\x80\xaf"],
    [b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf", b"\xf8\x87\xbf\xbf\xbf", b"\xfc\x83\xbf\xbf\xbf\xbf"],
    [b"\xc0\x80", b"\xe0\x80\x80", b"\xf0\x80\x80\x80", b"\xf8\x80\x80\x80\x80", b"\xfc\x80\x80\x80\x80\x80"],
    [*SURROGATES, b"\xed\xb0\x80", b"\xed\xbe\x80", b"\xed\xbf\xbf"],
    [high + low for high in SURROGATES for low in (b"\xed\xb0\x80", b"\xed\xbf\xbf")],
    [chr(last + more).encode() for last in (0xFFFE, *range(0x1FFFE, 0x110000, 0x10000)) for more in (0, 1)],
    [chr(special).encode() for special in range(0xFFF9, 0x10000)],
]
