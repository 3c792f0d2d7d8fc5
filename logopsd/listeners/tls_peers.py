"""Which TLS clients may send, told by what their certificate says (RFC 5425 sections 4.2 and 5.2).

An entry of the list is the SHA-256 fingerprint of a certificate, or a name that one of its DNS
names (subjectAltName) or its common name must be.
"""

import hashlib
import re
import ssl
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from logopsd.patterns import lazy_pattern

MAX_NAME = 253
"""Characters of a DNS name, RFC 1035 section 2.3.4; of a common name 64 (RFC 5280 appendix A)."""

_fingerprint = lazy_pattern(r"(?:sha-?256:)?((?:[0-9a-f]{2}:){31}[0-9a-f]{2}|[0-9a-f]{64})", re.I)
# A colon would be a fingerprint gone wrong.
_name = lazy_pattern(r"(?:\*\.)?[^\s*:][^*:]*")


class PermittedPeers:
    """Decides on certificates whose chain was verified before.

    Args:
        entries: fingerprints (`SHA256:AB:CD...` in any case, with colons or without) and names;
            `*.example.org` stands for one label more, as RFC 6125 section 6.4.3 has it. None at
            all permits whoever was verified.

    Raises:
        ValueError: an entry is neither.
    """

    def __init__(self, entries: Iterable[str]) -> None:
        self._fingerprints: set[str] = set()
        self._names: set[str] = set()
        self._all = True
        for entry in entries:
            self._all = False
            if match := _fingerprint.fullmatch(entry):
                self._fingerprints.add(match[1].replace(":", "").lower())
            elif _name.fullmatch(entry) and entry.isprintable() and len(entry) <= MAX_NAME:
                self._names.add(_comparable(entry))
            else:
                raise ValueError("neither a SHA-256 fingerprint nor a name")

    def refusal(self, connection: ssl.SSLObject) -> str | None:
        """Say who is refused.

        Args:
            connection: one whose handshake is done.

        Returns:
            The fingerprint of the certificate, as an entry that would permit it; None where the
            peer is permitted.
        """
        if self._all:
            return None
        der = connection.getpeercert(binary_form=True) or b""
        digest = hashlib.sha256(der).hexdigest()
        if digest in self._fingerprints:
            return None
        if any(self._knows(name) for name in _names(connection)):
            return None
        return f"SHA256:{digest.upper()}"

    def _knows(self, name: str) -> bool:
        name = _comparable(name)
        label, dot, rest = name.partition(".")
        return name in self._names or bool(label and dot and f"*.{rest}" in self._names)


def _comparable(name: str) -> str:
    """Names differ neither by case nor by the dot of the root."""
    return name.lower().removesuffix(".")


def _names(connection: ssl.SSLObject) -> Iterator[str]:
    """Give the DNS names and the common names of the peer."""
    certificate: Mapping[str, Any] = connection.getpeercert() or {}
    for kind, value in certificate.get("subjectAltName", ()):
        if kind == "DNS":
            yield value
    for relative_name in certificate.get("subject", ()):
        for kind, value in relative_name:
            if kind == "commonName":
                yield value
