"""The server ends the connection: with every kind of close, and without one."""

from __future__ import annotations

from benchmarks.reliability.raw_server import TEXT, Peer, RawServer, Script, frame
from benchmarks.reliability.row import Figure, Row, Trial, counted, row
from benchmarks.reliability.scripts import stay
from rxws.errors import ConnectionFailed
from rxws.events import Closed, Connecting, DisconnectReason, Opened, Waiting

ENDS, EACH = 3, 50  # so many connections end on us, each after so many messages


def numbered(end: Script) -> Script:
    """Accept, number the messages, and end."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        peer.number(EACH)
        await end(peer)

    return script


async def come_back(trial: Trial, end: Script, reason: DisconnectReason, code: int, least: float = 0.0) -> Figure:
    """End some connections in the same way; all messages before each end must arrive, and a connection after them."""
    async with RawServer(*[numbered(end)] * ENDS, stay) as server, trial.watch(server.url) as seen:
        await seen.until(lambda: len(seen.of(Opened)) > ENDS and len(seen.numbers) > ENDS * EACH)
        every = ENDS * EACH + 1
        return Figure.of(
            f"{ENDS} of {ENDS} came back; {len(seen.numbers) - 1} of {every - 1} messages",
            each_once_and_in_order=seen.numbers == list(range(1, every + 1)),
            reason=[each.reason for each in seen.of(Closed)] == [reason] * ENDS,
            code=[each.error.code for each in seen.of(Closed)] == [code] * ENDS,
            waits=all(each.seconds >= least for each in seen.of(Waiting)),
            dials=len(server.peers) == ENDS + 1,
        )


def closing(code: int, words: str, must_hold: str = "", least: float = 0.0) -> Row:
    """Return the row of a close code."""
    hold = f"It comes back each time; every message before the close is delivered once, in order{must_hold}"

    @row(f"close-{code}", f"The server closes with {code} ({words})", hold)
    async def run(trial: Trial) -> Figure:
        return await come_back(trial, lambda peer: peer.end(code), DisconnectReason.SERVER_CLOSED, code, least)

    return run


# The policy of the rows waits at most 0.4 s, and a code that asks for a pause gets between half of that and all.
PAUSED = ", after a pause of the policy's cap, not its first delay"
close_1000 = closing(1000, "normal")
close_1001 = closing(1001, "going away")
close_1012 = closing(1012, "restart")
close_1013 = closing(1013, "try again later", PAUSED, least=0.2)
close_1008 = closing(1008, "policy", PAUSED, least=0.2)
close_4000 = closing(4000, "an application's own")


@row(
    "close-final",
    "The server closes with a code that the caller named in `final_close_codes`",
    "The stream completes; nothing dials again",
)
async def close_final(trial: Trial) -> Figure:
    async with RawServer(numbered(lambda peer: peer.end(4001)), stay) as server:
        async with trial.watch(server.url, final_close_codes=[4001]) as seen:
            await seen.until(lambda: seen.completed)
            await trial.after_a_while()
            return Figure.of(
                counted(len(server.peers), "dial"),
                all_messages=seen.numbers == list(range(1, EACH + 1)),
                one_dial=len(server.peers) == 1,
                completed=seen.completed and seen.error is None,
            )


@row(
    "close-wrong-code",
    "The close frame has a code that must not be on the wire (1005)",
    "A protocol error, not a crash: all before it arrives, and it comes back",
)
async def close_wrong_code(trial: Trial) -> Figure:
    return await come_back(trial, lambda peer: peer.end(1005), DisconnectReason.PROTOCOL_ERROR, 1002)


@row(
    "close-kept-open",
    "The server sends a close frame, and then keeps TCP open",
    "The next connection does not wait for it; the old socket is given up after `close_timeout`",
)
async def close_kept_open(trial: Trial) -> Figure:
    async def script(peer: Peer) -> None:
        await peer.accept()
        peer.number()
        peer.close(1001)
        await peer.listen(closes=False)

    async with RawServer(script, stay) as server, trial.watch(server.url) as seen:
        await seen.until(lambda: len(seen.numbers) == 2)
        kept_meanwhile = not server.peers[0].ended
        await seen.until(lambda: server.peers[0].ended)
        return Figure.of(f"{len(seen.of(Opened))} connections, 1 socket given up", next_came_first=kept_meanwhile)


@row("fin", "TCP ends (FIN) without a close frame", "It comes back; every whole message before it is delivered, once")
async def fin(trial: Trial) -> Figure:
    async def end(peer: Peer) -> None:
        peer.fin()

    return await come_back(trial, end, DisconnectReason.NETWORK_ERROR, 1006)


@row("reset", "TCP is reset (RST) in the middle of a frame", "It comes back; every whole message arrives, no half one")
async def reset(trial: Trial) -> Figure:
    async def end(peer: Peer) -> None:
        peer.write(frame(TEXT, b"x" * 200)[:100])
        await peer.reset()

    return await come_back(trial, end, DisconnectReason.NETWORK_ERROR, 1006)


@row(
    "restart",
    "The server's process dies; its port is refused for a while, then it listens again",
    "Connection refused is told and retried; it is found again on the same port",
)
async def restart(trial: Trial) -> Figure:
    async with RawServer(stay) as before:
        port = before.port
        seen = trial.watch(before.url).subscribe()
        await seen.until(lambda: seen.numbers == [1])
    await seen.until(lambda: any(isinstance(each.error, ConnectionFailed) for each in seen.of(Closed)))
    async with RawServer(stay, port=port) as after:
        await seen.until(lambda: seen.numbers == [1, 1])
        refused = sum(isinstance(each.error, ConnectionFailed) for each in seen.of(Closed))
        seen.dispose()
        await seen.gone()
        attempts = [each.attempt for each in seen.of(Connecting)]
        return Figure.of(
            f"{counted(refused, 'refusal')}, then 1 connection",
            one_connection=len(after.peers) == 1,
            counted_in_a_row=attempts == list(range(1, len(attempts) + 1)),
        )
