"""Pseudonyms: what is masked can still be grouped, by whoever does not hold the key.

`u***@example.com<e7c:7f3a9c04d1b2>`: a letter for the kind, two digits that name the key, and
48 bits of HMAC-SHA-256 over the value in its normal form. Equal values have equal pseudonyms,
across records, fields and restarts, for as long as the primary key stays; a new primary key gives
all new ones, and breaks the joins on purpose. Among 10^6 values two share a pseudonym with a
probability of 0.2 %.

Whoever holds the key can find the value behind a pseudonym by trying all there may be, and a small
set (the four thousand million IPv4 addresses) is tried in minutes: these are pseudonyms in the
sense of the GDPR, not anonymous data. Secrets have none, as a password must not be guessed at all.
"""

import hmac
import re
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, IPv6Address
from typing import Literal

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from logopsd.patterns import lazy_pattern
from logopsd.privacy.tokens import check_key

_DIGITS = 12
"""Hexadecimal digits of a pseudonym, 48 bits."""

_KNOWN_LIMIT = 16384
"""Pseudonyms remembered: an HMAC costs 2 us, looking one up 0.1; at the limit all are forgotten."""

_DOMAIN = lazy_pattern(r"(?:[\w-]+\.)+[\w-]+")
_NO_DIGIT = lazy_pattern(r"[^0-9]")
_NO_HEX = lazy_pattern(r"[^0-9A-Za-z]")
_AT = lazy_pattern(r"@|%40|%2540|\\u0040")


class Pseudonyms:
    """Gives values their pseudonyms.

    Args:
        key: the primary key; the pseudonyms' own keys are derived from it (RFC 5869).
        ip: `mask` for pseudonyms as of all others; `prefix` for IPv4 pseudonyms of 8 digits that
            share as many leading bits as the addresses do (Crypto-PAn, Xu et al. 2002), so that
            networks can be grouped too.

    Raises:
        PrivacyError: the key is none.
    """

    __slots__ = ("_known", "_mac_key", "_pad", "_prefix", "key_id")

    def __init__(self, key: str, *, ip: Literal["mask", "prefix"] = "mask") -> None:
        check_key(key)
        derived = HKDF(SHA256(), 65, None, b"logopsd pseudonyms v1").derive(urlsafe_b64decode(key))
        self._mac_key = derived[:32]
        self.key_id = derived[64:].hex()
        cipher = Cipher(AES(derived[32:48]), ECB())  # noqa: S305  # blocks of its own, see _preserve
        self._prefix = cipher if ip == "prefix" else None
        self._pad = int.from_bytes(cipher.encryptor().update(derived[48:64]), "big")
        self._known: dict[tuple[str, str], str] = {}

    def __repr__(self) -> str:
        return f"Pseudonyms(key_id={self.key_id!r})"

    def tag(self, detector: str, text: str, start: int, end: int) -> tuple[int, str] | None:
        """Give the pseudonym of what a detector claimed, and where in the text it is to stand.

        Args:
            detector: its name.
            text: the text as it was.
            start: where the claim begins.
            end: where it ends.

        Returns:
            None for what has no pseudonym.
        """
        if detector not in _KINDS:
            return None
        if detector == "email":  # the claim ends before the domain
            domain = _DOMAIN.match(text, end)
            value = _AT.sub("@", text[start:end]) + (domain[0] if domain else "")
            end = domain.end() if domain else end
        else:
            value = text[start:end]
        known = self._known.get((detector, value))
        if known is None:
            if len(self._known) >= _KNOWN_LIMIT:
                self._known.clear()
            known = self._known[detector, value] = self._make(detector, value)
        return end, known

    def _make(self, detector: str, value: str) -> str:
        letter, normal_form = _KINDS[detector]
        normal = normal_form(value)
        if letter == "6" and normal.startswith("::ffff:"):  # a mapped address is an IPv4 one
            letter, normal = "4", str(IPv6Address(value).ipv4_mapped)
        if letter == "4" and self._prefix:
            address = int(IPv4Address(normal))
            return f"<{letter}{self.key_id}:{self._preserve(self._prefix, address):08x}>"
        digest = hmac.digest(self._mac_key, f"{letter}:{normal}".encode(), "sha256")
        return f"<{letter}{self.key_id}:{digest.hex()[:_DIGITS]}>"

    def _preserve(self, cipher: Cipher[ECB], address: int) -> int:
        """Map an address so that two that share n leading bits still do, and not one more.

        Bit i of the result is bit i of the address, turned where the first bit of the encrypted
        block (the first i bits of the address, then the pad's) is 1.
        """
        blocks = []
        for kept in range(32):
            low = (1 << (128 - kept)) - 1
            blocks.append(((address << 96) & ~low | self._pad & low).to_bytes(16, "big"))
        encrypted = cipher.encryptor().update(b"".join(blocks))
        turned = 0
        for first in encrypted[::16]:
            turned = turned << 1 | first >> 7
        return address ^ turned


def _plain_ipv4(value: str) -> str:
    return ".".join(str(int(number)) for number in re.split(r"[.-]", value))


def _plain_ipv6(value: str) -> str:
    address = IPv6Address(value)
    return f"::ffff:{address.ipv4_mapped}" if address.ipv4_mapped else address.compressed


def _only_digits(value: str) -> str:
    return _NO_DIGIT.sub("", value)


_KINDS: Mapping[str, tuple[str, Callable[[str], str]]] = {
    "email": ("e", str.casefold),
    "ipv4": ("4", _plain_ipv4),
    "ipv6": ("6", _plain_ipv6),
    "mac": ("m", lambda value: _NO_HEX.sub("", value).lower()),
    "card": ("c", _only_digits),
    "iban": ("i", lambda value: _NO_HEX.sub("", value).upper()),
    "phone": ("p", _only_digits),
    "pesel": ("n", _only_digits),
    "pesel_named": ("n", _only_digits),
    "ssn": ("s", _only_digits),
    "ssn_named": ("s", _only_digits),
}
"""Detector -> the letter of its pseudonyms, and how a value comes to its normal form."""
