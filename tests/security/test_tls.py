"""Certificates are verified unless a context of the user's says otherwise; nothing turns that off by chance."""

from __future__ import annotations

import asyncio
import datetime
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from benchmarks.reliability.raw_server import Peer, RawServer
from benchmarks.reliability.scripts import stay
from rxws import connect
from rxws.errors import ConfigError, ConnectionFailed, RetriesExhausted
from rxws.events import Closed, DisconnectReason, GaveUp, Opened, Waiting
from tests.transport.tunnel import tunnel

YESTERDAY = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """An authority that no system knows."""
    return trustme.CA()


@pytest.fixture
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    """What a client verifies by that trusts the authority."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def serving(authority: trustme.CA, name: str = "127.0.0.1", **validity: Any) -> ssl.SSLContext:
    """What a server shows that has this name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name, **validity).configure_cert(context)
    return context


def self_signed(folder: Path) -> ssl.SSLContext:
    """What a server shows that nobody vouches for but itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    built = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    built = built.not_valid_before(YESTERDAY).not_valid_after(YESTERDAY + datetime.timedelta(days=9))
    chain = folder / "self-signed.pem"
    chain.write_bytes(
        built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return context


@asynccontextmanager
async def behind(context: ssl.SSLContext, *scripts: Any) -> AsyncIterator[tuple[RawServer, str]]:
    """A server behind TLS, and its URL."""
    async with RawServer(*(scripts or (stay,))) as server, tunnel(server, context=context) as way:
        yield server, f"wss://127.0.0.1:{way.port}/ws"


CERTIFICATES: dict[str, Callable[[trustme.CA, Path], ssl.SSLContext]] = {
    "another name": lambda authority, _: serving(authority, "venue.example"),
    "expired": lambda authority, _: serving(authority, not_before=YESTERDAY, not_after=YESTERDAY),
    "self-signed": lambda _, folder: self_signed(folder),
    "another authority": lambda _, __: serving(trustme.CA()),
}


@pytest.mark.parametrize("given", [True, False], ids=["with a context", "by default"])
@pytest.mark.parametrize("certificate", CERTIFICATES.values(), ids=CERTIFICATES.keys())
async def test_a_certificate_that_fails_is_a_loss_that_is_tried_again_and_never_a_connection(
    watch: Any, authority: trustme.CA, trusting: ssl.SSLContext, tmp_path: Path, certificate: Any, given: bool
) -> None:
    """As the table says of every failed dial: a certificate may be renewed. Not a byte of the request goes out."""
    async with behind(certificate(authority, tmp_path)) as (server, url):
        async with watch(url, ssl=trusting if given else None) as seen:
            await seen.closes(2)

    assert {type(each.error) for each in seen.of(Closed)} == {ConnectionFailed}
    assert {type(each.error.__cause__) for each in seen.of(Closed)} == {ssl.SSLCertVerificationError}
    assert {each.reason for each in seen.of(Closed)} == {DisconnectReason.NETWORK_ERROR}
    assert [each.seconds for each in seen.of(Waiting)][:1] == [pytest.approx(0.005)]
    assert not seen.of(Opened)
    assert b"".join(peer.request for peer in server.peers) == b""


async def test_a_policy_that_gives_up_says_why(watch: Any, authority: trustme.CA, trusting: ssl.SSLContext) -> None:
    """The error that the subscriber gets names the certificate's fault."""
    from rxws import Backoff

    retry = Backoff(initial=0.001, cap=0.001, max_attempts=2)
    async with behind(serving(authority, "venue.example")) as (_, url), watch(url, ssl=trusting, retry=retry) as seen:
        await seen.until(lambda: seen.error)

    assert isinstance(seen.error, RetriesExhausted) and seen.of(GaveUp)
    assert "certificate verify failed" in str(seen.error)


async def test_a_certificate_of_an_authority_that_the_context_trusts_is_taken(
    watch: Any, authority: trustme.CA, trusting: ssl.SSLContext
) -> None:
    """For the URL's own name."""
    async with behind(serving(authority)) as (_, url), watch(url, ssl=trusting) as seen:
        await seen.until(lambda: seen.numbers)


async def test_a_certificate_of_an_authority_that_the_system_trusts_is_taken(
    watch: Any, authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a context; the system's authorities are OpenSSL's, which SSL_CERT_FILE names."""
    authority.cert_pem.write_to_path(tmp_path / "authorities.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authorities.pem"))
    async with behind(serving(authority)) as (_, url), watch(url) as seen:
        await seen.until(lambda: seen.numbers)
    async with behind(serving(authority, "venue.example")) as (_, url), watch(url) as seen:
        await seen.closes(1)
        assert isinstance(seen.of(Closed)[0].error.__cause__, ssl.SSLCertVerificationError)


@pytest.mark.parametrize("name", ["server_hostname", "host"])
def test_an_empty_name_does_not_turn_the_verification_of_names_off(name: str) -> None:
    """asyncio takes it for that."""
    with pytest.raises(ConfigError, match=f"{name}: it is empty; take a name, or None for the URL's own"):
        connect("wss://venue.example", **{name: ""})


@pytest.mark.parametrize("value", [False, True, "none", 0, object()])
def test_verification_cannot_be_turned_off_by_a_flag(value: Any) -> None:
    """Only a context that somebody wrote does it."""
    with pytest.raises(ConfigError, match="ssl: .* take an ssl.SSLContext"):
        connect("wss://venue.example", ssl=value)


async def test_a_context_for_a_url_without_tls_is_refused_also_from_a_callable(
    watch: Any, trusting: ssl.SSLContext
) -> None:
    """Whoever passes a context wants TLS: the stream fails at once, for no attempt can cure it."""
    with pytest.raises(ConfigError, match="ssl: a ws:// URL is not encrypted"):
        connect("ws://venue.example", ssl=trusting)
    async with RawServer(stay) as server, watch(lambda: server.url, ssl=trusting) as seen:
        await seen.until(lambda: seen.error)
        await asyncio.sleep(0)

    assert isinstance(seen.error, ConfigError) and seen.error.field == "ssl"
    assert server.peers == []


async def test_a_redirect_leads_from_tls_to_tls_only(
    watch: Any, authority: trustme.CA, trusting: ssl.SSLContext
) -> None:
    """Not to where everybody can read the headers."""
    async with RawServer(stay) as bare:

        async def moved(peer: Peer) -> None:
            await peer.refuse(b"302 Found", b"Location: " + bare.url.encode())

        async with behind(serving(authority), moved) as (_, url), watch(url, ssl=trusting) as seen:
            await seen.closes(1)

        assert isinstance(seen.of(Closed)[0].error, ConnectionFailed)
        assert "cannot follow redirect to non-secure URI" in str(seen.of(Closed)[0].error)
        assert bare.peers == []


async def test_a_redirect_to_another_certificate_is_verified_too(
    watch: Any, authority: trustme.CA, trusting: ssl.SSLContext
) -> None:
    """By the same context, for the other name."""
    async with behind(serving(authority, "venue.example")) as (there, elsewhere):

        async def moved(peer: Peer) -> None:
            await peer.refuse(b"302 Found", b"Location: " + elsewhere.encode())

        async with behind(serving(authority), moved) as (_, url), watch(url, ssl=trusting) as seen:
            await seen.closes(1)

    assert isinstance(seen.of(Closed)[0].error.__cause__, ssl.SSLCertVerificationError)
    assert b"".join(peer.request for peer in there.peers) == b""
