"""IP addresses: `83.11.2.3` becomes `83.11.x.x`."""

import re
from ipaddress import IPv4Address

from logopsd.privacy.detectors.base import Detector, Find, Keep, triggers

_IPV4 = re.compile(
    r"([0-9]{1,3}+)\.([0-9]{1,3}+)\.([0-9]{1,3}+)\.([0-9]{1,3}+)(?!\.?[0-9]|[A-Za-z])"
)
"""Four numbers, no letter behind, and no longer run of numbers and dots."""

_BEFORE = frozenset("0123456789.abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
"""What may not stand before: a letter (`v1.2.3.4`), or more of a run of numbers and dots."""

_OCTETS = frozenset(str(n).zfill(width) for n in range(256) for width in (1, 2, 3))
"""Every way to write 0 to 255; to ask for all four at once takes a quarter of what `int` does."""

_NOBODY = frozenset(["0", "00", "000", "127", "255"])
"""First numbers of what is nobody's address: unspecified, loopback, netmasks."""

_DIGITS = frozenset("0123456789")
_JOINTS = frozenset(".-")

_HOST_NAME = re.compile(r"[.-][A-Za-z][\w-]*\.[A-Za-z]")
"""What follows where the address is part of a host name (`4.3.2.1.dialup.example`)."""

_VERSION_WORDS = ("version", "ver", "build", "release", "firmware", "revision", "rev", "upgrade")
"""What says that the four numbers are a version."""

_PRODUCT = re.compile(r"[A-Za-z]/")
"""Before a frozen version: `Chrome/120.0.0.0`."""

_WORDS_WINDOW = 20
"""Characters read before an address: the longest word that announces a version, and quotes."""


def ipv4(keep: Keep) -> Detector:
    """Make the detector of IPv4 addresses.

    Args:
        keep: what may stay readable; loopback, 0.0.0.0/8 and 255.0.0.0/8 (netmasks) always do.
    """

    def examine(text: str, at: int) -> Find | None:
        # The trigger begins at the last digit of the first number.
        begin = at
        if begin and text[begin - 1] in _DIGITS:
            begin -= 1
            if begin and text[begin - 1] in _DIGITS:
                begin -= 1
        match = _IPV4.match(text, begin)
        if not match:
            return None
        numbers = match.groups()
        if not _OCTETS.issuperset(numbers) or numbers[0] in _NOBODY:
            return None
        if begin and text[begin - 1] in _BEFORE:
            return None
        words = text[begin - _WORDS_WINDOW if begin > _WORDS_WINDOW else 0 : begin]
        if words.rstrip(" \"':=([").lower().endswith(_VERSION_WORDS):
            return None
        if numbers[2] == numbers[3] == "0" and _PRODUCT.match(text, begin - 2, begin):
            return None
        if keep.networks and keep.address(IPv4Address(".".join(numbers))):
            return None
        end = match.end()
        if text[end : end + 1] in _JOINTS and _HOST_NAME.match(text, end):
            return begin, end, "x.x.x.x"
        return begin, end, f"{numbers[0]}.{numbers[1]}.x.x"

    return Detector("ipv4", triggers(rb"0\.0{1,3}\.0{1,3}\.0"), examine)
