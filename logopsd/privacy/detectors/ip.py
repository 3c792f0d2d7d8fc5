"""IP addresses: `83.11.2.3` becomes `83.11.x.x`."""

import re
from ipaddress import IPv4Address

from logopsd.privacy.detectors.base import Detector, Find, Keep, triggers

_IPV4 = re.compile(
    r"([0-9]{1,3}+)([.-])([0-9]{1,3}+)\2([0-9]{1,3}+)\2([0-9]{1,3}+)(\.[0-9]{1,5}+)?+"
    r"(?!\.?[0-9]|[A-Za-z*])"
)
"""Four numbers, no letter behind, and no longer run of numbers and dots; tcpdump adds the port."""

_BEFORE = frozenset("*0123456789.abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
"""What may not stand before: a letter (`v1.2.3.4`), or more of a run of numbers and dots."""

_OCTETS = frozenset(str(n).zfill(width) for n in range(256) for width in (1, 2, 3))
"""Every way to write 0 to 255; to ask for all four at once takes a quarter of what `int` does."""

_NOBODY = frozenset(["0", "00", "000", "127", "255"])
"""First numbers of what is nobody's address: unspecified, loopback, netmasks."""

_DIGITS = frozenset("0123456789")
_JOINTS = frozenset(".-_+~")

_HOST_NAME = re.compile(r"[.-][A-Za-z][\w-]{0,62}\.[A-Za-z]")
"""What follows where the address is part of a host name (`4.3.2.1.dialup.example`)."""

_PACKAGE = re.compile(
    r"(?:[-+~][0-9][\w.+~]{0,32}?)?"
    r"(?:\.(?:orig|tar|tgz|zip|gz|xz|deb|rpm|jar|so|dll|exe|el[0-9]|fc[0-9]|x86|noarch|src)"
    r"|_(?:amd64|all|arm|i386|x86))(?![A-Za-z])"
)
"""What follows the version in the name of a package."""

_VERSION_WORDS = (
    "version",
    "ver",
    "build",
    "release",
    "firmware",
    "revision",
    "rev",
    "upgrade",
    "oid",
    "extension",
)
"""What says that the four numbers are a version, or an object identifier of X.509."""

_PRODUCT = re.compile(r"[A-Za-z]/")
"""Before a frozen version: `Chrome/120.0.0.0`."""

_SURE_PORT = 256
"""A fifth number from here on can be no part of a version or an identifier, but is a port."""

_WORDS_WINDOW = 20
"""Characters read before an address: the longest word that announces a version, and quotes."""


def ipv4(keep: Keep) -> Detector:
    """Make the detector of IPv4 addresses.

    Args:
        keep: what may stay readable; loopback, 0.0.0.0/8 and 255.0.0.0/8 (netmasks) always do.
    """

    def examine(text: str, at: int) -> Find | None:
        # The trigger begins behind the first number.
        begin = at - 1
        if begin > 0 and text[begin - 1] in _DIGITS:
            begin -= 1
            if begin and text[begin - 1] in _DIGITS:
                begin -= 1
        match = _IPV4.match(text, begin) if at else None
        if not match:
            return None
        first, mark, second, third, fourth, port = match.groups()
        if not _OCTETS.issuperset((first, second, third, fourth)) or first in _NOBODY:
            return None
        if begin and text[begin - 1] in _BEFORE:
            return None
        words = text[begin - _WORDS_WINDOW if begin > _WORDS_WINDOW else 0 : begin]
        if words.rstrip(" \"':=([").lower().endswith(_VERSION_WORDS):
            return None
        if third == fourth == "0" and _PRODUCT.match(text, begin - 2, begin):
            return None
        end = match.end()
        if port:
            if int(port[1:]) < _SURE_PORT and not text.startswith((" >", ": "), end):
                return None
            end = match.start(6)
        elif text[end : end + 1] in _JOINTS:
            if _PACKAGE.match(text, end):
                return None
            if _HOST_NAME.match(text, end):
                return begin, end, f"x{mark}x{mark}x{mark}x"
        if mark == "-" or (keep.networks and _kept(keep, first, second, third, fourth)):
            return None
        return begin, end, f"{first}.{second}.x.x"

    return Detector(
        "ipv4", triggers(rb"\.0{1,3}\.0{1,3}\.0", rb"-0{1,3}-0{1,3}-0{1,3}[.-][a-z]"), examine
    )


def _kept(keep: Keep, *numbers: str) -> bool:
    return keep.address(IPv4Address(".".join(str(int(number)) for number in numbers)))
