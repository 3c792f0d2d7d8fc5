"""Tests of logopsd.listeners.tls_peers."""

import hashlib
import ssl
from typing import Any, cast

import pytest

from logopsd.listeners.tls_peers import PermittedPeers

DER = b"a certificate"
DIGEST = hashlib.sha256(DER).hexdigest()
COLONS = ":".join(DIGEST[i : i + 2] for i in range(0, 64, 2))


class FakeConnection:
    """What is asked of a connection whose handshake is done."""

    def __init__(self, *, cn: str = "", dns: tuple[str, ...] = ()) -> None:
        self._certificate: dict[str, Any] = {
            "subject": ((("organizationName", "x"),), (("commonName", cn),)),
            "subjectAltName": (("IP Address", "192.0.2.1"), *(("DNS", name) for name in dns)),
        }

    def getpeercert(self, binary_form: bool = False) -> object:
        """Give the certificate."""
        return DER if binary_form else self._certificate


def permitted(*entries: str, cn: str = "", dns: tuple[str, ...] = ()) -> bool:
    """Whether a list permits a certificate with these names."""
    connection = cast(ssl.SSLObject, FakeConnection(cn=cn, dns=dns))
    return PermittedPeers(entries).refusal(connection) is None


@pytest.mark.parametrize(
    "entry", [DIGEST, DIGEST.upper(), f"SHA256:{COLONS.upper()}", f"sha-256:{COLONS}", COLONS]
)
def test_a_fingerprint_in_any_writing(entry: str) -> None:
    """Case, colons and the name of the digest make no difference."""
    assert permitted(entry)


@pytest.mark.parametrize(
    ("entry", "name"),
    [
        ("log1.example.org", "log1.example.org"),
        ("LOG1.example.org.", "log1.EXAMPLE.org"),
        ("*.example.org", "log1.example.org"),
        ("*.Example.org", "LOG1.example.org."),
    ],
)
def test_a_name(entry: str, name: str) -> None:
    """A DNS name or the common name; a wildcard stands for one label."""
    assert permitted("other.example.org", entry, dns=("third.example.org", name))
    assert permitted(entry, cn=name, dns=("third.example.org",))


@pytest.mark.parametrize(
    ("entry", "name"),
    [
        ("*.example.org", "example.org"),
        ("*.example.org", "a.b.example.org"),
        ("*.example.org", ".example.org"),
        ("*.example.org", "log1.example.org.net"),
        ("example.org", "log1.example.org"),
        ("192.0.2.1", "log1.example.org"),
        ("x", "log1.example.org"),
        ("f" * 64, "log1.example.org"),
        ("log1.example.org", "log1.example.org\0.net"),
    ],
)
def test_who_is_not_named(entry: str, name: str) -> None:
    """Neither more nor fewer labels, nor other fields of the certificate."""
    assert not permitted(entry, cn=name, dns=(name,))


def test_the_refusal_is_an_entry_that_would_permit() -> None:
    """What is said of who is refused can be put into the list as it is."""
    connection = cast(ssl.SSLObject, FakeConnection(cn="x"))
    refusal = PermittedPeers(["y"]).refusal(connection)

    assert refusal is not None
    assert PermittedPeers([refusal]).refusal(connection) is None


def test_without_a_list_everyone_may_send() -> None:
    """No entries, no check."""
    assert permitted()


@pytest.mark.parametrize(
    "entry",
    [
        "",
        " ",
        "*",
        "*.",
        "a.*.org",
        "log*.example.org",
        "SHA256:AB",
        "sha1:" + COLONS[:59],
        DIGEST[:-2] + ":",
        "a" * 254,
        "a\nb",
    ],
)
def test_what_is_no_entry(entry: str) -> None:
    """A fingerprint gone wrong, or a wildcard elsewhere, is refused and not taken for a name."""
    with pytest.raises(ValueError, match="neither"):
        PermittedPeers([entry])
