"""IPv6 addresses: `2a02:a31c:1:2::3` becomes `2a02:a31c:x:x:x:x:x:x`.

The first two groups tell the provider, and not the customer. A mapped IPv4 address keeps two
numbers, as it does alone: `::ffff:83.11.x.x`.
"""

from ipaddress import IPv6Address

from logopsd.patterns import lazy_pattern
from logopsd.privacy.detectors.base import Detector, Find, Keep
from logopsd.privacy.detectors.triggers import trigger, triggers

_BACK = lazy_pattern(r"[0-9A-Fa-f:]*+")
"""What an address may hold before its first trigger; read backwards."""

_RUN = lazy_pattern(r"([0-9A-Fa-f:]{2,60}+)((?>(?:\.[0-9]{1,5}+){0,4}))(?![0-9A-Za-z*]|\.x)")
"""Hexadecimal digits and colons, and numbers with dots behind: IPv4's, or a port (tcpdump)."""

_LONGEST = 45
"""Characters of the longest address, with a mapped IPv4 address at its end."""

_V4_DOTS = 3


def ipv6(keep: Keep) -> Detector:
    """Make the detector of IPv6 addresses.

    Args:
        keep: what may stay readable; `::` and `::1` always do.
    """

    def examine(text: str, at: int) -> Find | None:
        begin = _begin(text, at)
        run = _RUN.match(text, begin) if begin >= 0 else None
        if not run:
            return None
        written = _without_port(run[1], run[2])
        address = _parse(written)
        if not address or (keep.networks and keep.address(address)):
            return None
        return begin, begin + len(written), _mask(address)

    return Detector(
        "ipv6",
        triggers(
            trigger(
                rb":(?::(?<!:::)(?!:)|[0a-f]{1,4}+(?>(?::[0a-f]{1,4}+){5}):)",
                *(b"::", b":[0a-f][0a-f:]{11}"),
            )
        ),
        examine,
    )


def _begin(text: str, at: int) -> int:
    """Find where the address around the colon at `at` begins; -1 where none can.

    Where it touches a word (`eth0:2a02::1`, `from:2a02::1`), that word and its colon are not part.
    """
    back = text[at - 1 : at - 2 - _LONGEST if at > _LONGEST + 1 else None : -1] if at else ""
    length = _BACK.match(back).end()  # type: ignore[union-attr]  # it matches nothing, too
    begin = at - length
    before = back[length : length + 1]
    if before == "*":  # what was masked ends here, and part of it may be missing
        return -1
    if before.isalnum() or before == "." or (text[begin] == ":" and text[begin + 1] != ":"):
        begin = text.index(":", begin) + 1
    return begin


def _without_port(run: str, dotted: str) -> str:
    """Leave off a port (`2001:db8::1.443`, `2001:db8::1:51413`) and a colon of the sentence."""
    dots = dotted.count(".")
    if dots >= _V4_DOTS:
        return run + (dotted if dots == _V4_DOTS else dotted.rpartition(".")[0])
    groups = run.split(":")
    if len(groups) > 8 or len(groups[-1]) == 5 or (not groups[-1] and groups[-2]):
        return run.rpartition(":")[0]
    return run


def _parse(written: str) -> IPv6Address | None:
    """Read an address; None for what only looks like one, or is nobody's."""
    groups = written.split(":")
    filled = [group for group in groups if group]
    if "::" in written:
        # A namespace (`a::b`) is shorter in front; all that is given out has 3 or 4 digits there.
        if (len(groups[0]) < 3 and groups[0] != "64") if groups[0] else len(filled) < 2:
            return None
    elif max(map(len, groups)) < 3:  # pairs: the name of a disk (WWN), a fingerprint
        return None
    if not any(char.isdigit() for char in written):
        return None
    try:
        address = IPv6Address(written)
    except ValueError:
        return None
    mapped = address.ipv4_mapped
    return None if mapped and mapped.is_loopback else address


def _mask(address: IPv6Address) -> str:
    if address.ipv4_mapped:
        first, second = address.ipv4_mapped.packed[:2]
        return f"::ffff:{first}.{second}.x.x"
    value = int(address)
    return f"{value >> 112:x}:{value >> 96 & 0xFFFF:x}:x:x:x:x:x:x"
