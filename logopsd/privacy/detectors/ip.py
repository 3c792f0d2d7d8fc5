"""IP addresses: `83.11.2.3` becomes `83.11.x.x`."""

import re
from ipaddress import IPv4Address

from logopsd.patterns import lazy_pattern
from logopsd.privacy.detectors.base import Detector, Find, Keep
from logopsd.privacy.detectors.triggers import trigger, triggers

_IPV4 = lazy_pattern(
    r"([0-9]{1,3}+)([.-])([0-9]{1,3}+)\2([0-9]{1,3}+)\2([0-9]{1,3}+)(?>(\.[0-9]{1,5}+)?)"
    r"(?!\.?[0-9]|(?!Bcast|Mask|P-t-P)[A-Za-z*])"
)
"""Four numbers, no letter behind (but for what old `ifconfig` puts there), and no longer run of
numbers and dots; tcpdump adds the port."""

_USUAL = lazy_pattern(
    r"(?:(?<=[ =(\[<]([0-9]))|(?<=[ =(\[<]([0-9]{2}))|(?<=[ =(\[<]([0-9]{3})))"
    r"\.([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})(?=[ ,:)\]>\0]|\Z)"
)
"""From the first dot on, what mostly stands around an address: `from 83.11.2.3 port 22`. Nothing
there asks for a closer look but what `_is_usual` does: 1.0 us in place of 1.9."""

_BEFORE = frozenset("*0123456789.abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
"""What may not stand before: a letter (`v1.2.3.4`), or more of a run of numbers and dots."""

_OCTETS = frozenset(str(n).zfill(width) for n in range(256) for width in (1, 2, 3))
"""Every way to write 0 to 255; to ask for all four at once takes a quarter of what `int` does."""

_NOBODY = frozenset(["0", "00", "000", "127", "255"])
"""First numbers of what is nobody's address: unspecified, loopback, netmasks."""

_DIGITS = frozenset("0123456789")
_JOINTS = frozenset(".-_+~")

_HOST_NAME = lazy_pattern(r"[.-][A-Za-z][\w-]{0,62}\.[A-Za-z]")
"""What follows where the address is part of a host name (`4.3.2.1.dialup.example`)."""

_HOST_BY_ADDRESS = lazy_pattern(
    r"(?i:ip)-(?<![A-Za-z]ip-)(?<![A-Za-z]IP-)([0-9]{1,3}+)-([0-9]{1,3}+)-([0-9]{1,3}+)-([0-9]{1,3}+)"
    r"(?![0-9]|-[0-9])"
)
"""The name of a host that is made of its address."""

_PACKAGE = lazy_pattern(
    r"(?:[-+~][0-9][\w.+~]{0,32}?)?"
    r"(?:\.(?:orig|tar|tgz|zip|gz|xz|deb|rpm|jar|so|dll|exe|el[0-9]|fc[0-9]|x86|noarch|src)"
    r"|_(?:amd64|all|arm|i386|x86))(?![A-Za-z])"
)
"""What follows the version in the name of a package."""

_VERSION_WORDS = (
    *("version", "ver", "build", "firmware", "revision", "oid"),
    *("release", "upgrade", "rev", "kernel", "fw"),
)
_ANNOUNCED = lazy_pattern(
    r"""(?:(?<![A-Za-z0-9])|(?<=[a-z0-9])(?=[A-Z]))
    (?i:(version|ver|build|firmware|revision|oid)|release|upgrade|rev|(?:kernel|fw)(?=[ ]))
    [ "':=(\[]{0,8}\Z""",
    re.VERBOSE,
)
"""What says that the four numbers are a version, or an object identifier: a whole word or the last
of `package_version`, `packageVersion`; never the end of `server`, `over`, `android`. The words
outside the group are said of addresses, too (`release 83.11.2.3`), so there the numbers decide."""

_NO_VERSION = frozenset("abcfghijkmopqstuxyzABCFGHIJKMOPQSTUXYZ")
"""Letters in which none of these words ends."""

_ADDRESS_WORD = lazy_pattern(r"(?<![A-Za-z0-9])(?i:ip|addr|address|src|dst|host|from|to)\Z")
"""Letters that may touch an address: `IP83.11.2.3`."""

_TOUCHING_WINDOW = 8
"""Characters read for such a word: the longest has seven."""

_PRODUCT = lazy_pattern(r"[A-Za-z]/")
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
        usual = _USUAL.match(text, at)
        if usual and not keep.networks:
            first = usual[1] or usual[2] or usual[3]
            begin = at - len(first)
            if text[begin - 2 : begin - 1] in _NO_VERSION:
                return _usual_find(begin, first, usual)
        if text[at] in "Ii":  # the name of a host, with its domain or without
            return _host_by_address(text, at)
        # The other triggers begin behind the first number, or at a dot before it.
        begin = at - 1 if at and text[at - 1] in _DIGITS else at + 1
        if 0 < begin < at and text[begin - 1] in _DIGITS:
            begin -= 1
            if begin and text[begin - 1] in _DIGITS:
                begin -= 1
        match = _IPV4.match(text, begin)
        if not match:
            return None
        first, mark, second, third, fourth, port = match.groups()
        if not _OCTETS.issuperset((first, second, third, fourth)) or first in _NOBODY:
            return None
        if begin and text[begin - 1] in _BEFORE and not _may_touch(text, begin, match):
            return None
        words = text[begin - _WORDS_WINDOW if begin > _WORDS_WINDOW else 0 : begin]
        if words.rstrip(" \"':=([").lower().endswith(_VERSION_WORDS) and _is_version(
            text, begin, match
        ):
            return None
        if len(first) == 1 and _is_arc(first, second, third, fourth):
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
        "ipv4",
        triggers(
            trigger(rb"\.0{1,3}\.0{1,3}\.0", rb"\.0[0.]{4}", usual="" if keep.networks else "ipv4"),
            trigger(rb"-0{1,3}-0{1,3}-0{1,3}[.-][a-z]", rb"-0[0-]{4}[0.-]"),
            trigger(rb"ip-(?=0)", b"ip-0"),
        ),
        examine,
    )


def _usual_find(begin: int, first: str, usual: re.Match[str]) -> Find | None:
    """Say what to mask of four numbers that only their values can keep from being an address."""
    _, _, _, second, third, fourth = usual.groups()
    if not _OCTETS.issuperset((first, second, third, fourth)) or first in _NOBODY:
        return None
    if len(first) == 1 and _is_arc(first, second, third, fourth):
        return None
    return begin, usual.end(), f"{first}.{second}.x.x"


def _is_arc(first: str, second: str, third: str, fourth: str) -> bool:
    """Tell the extensions of X.509 certificates (2.5.29), and the arc of the Internet (1.3.6.1)."""
    if (first, second, third) == ("2", "5", "29"):
        return True
    return (first, second, third, fourth) == ("1", "3", "6", "1")


def _host_by_address(text: str, at: int) -> Find | None:
    """Find the address in `ip-83-11-2-3`, as the clouds name hosts."""
    match = _HOST_BY_ADDRESS.match(text, at)
    if not match or not _OCTETS.issuperset(match.groups()) or match[1] in _NOBODY:
        return None
    return match.start(1), match.end(), "x-x-x-x"


def _may_touch(text: str, begin: int, match: re.Match[str]) -> bool:
    """Say whether what stands right before the numbers leaves them an address."""
    if text[begin - 1] == ".":  # `host.83.11.2.3`, but not `libfoo.so.1.2.3.4`
        return begin > 1 and text[begin - 2].isalpha() and not _looks_like_a_version(match)
    return bool(_ADDRESS_WORD.search(text, max(begin - _TOUCHING_WINDOW, 0), begin))


def _is_version(text: str, begin: int, match: re.Match[str]) -> bool:
    """Say whether a word before the numbers makes them a version."""
    word = _ANNOUNCED.search(text, max(begin - _WORDS_WINDOW, 0), begin)
    return bool(word and (word[1] or _looks_like_a_version(match)))


def _looks_like_a_version(match: re.Match[str]) -> bool:
    """Say whether numbers begin with a single digit and none has three."""
    return len(match[1]) == 1 and max(len(match[3]), len(match[4]), len(match[5])) < 3


def _kept(keep: Keep, *numbers: str) -> bool:
    return keep.address(IPv4Address(".".join(str(int(number)) for number in numbers)))
