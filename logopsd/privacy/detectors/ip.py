"""IP addresses: `83.11.2.3` becomes `83.11.x.x`."""

import re
from ipaddress import IPv4Address

from logopsd.privacy.detectors.base import Detector, Find, Keep, triggers

_IPV4 = re.compile(
    r"(?<![\d.])(?<![^\W_\d])(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?!\d|\.\d|[^\W_\d])",
    re.ASCII,
)
"""Four numbers; no letter at either side, and no longer run of numbers and dots."""

_HOST_NAME = re.compile(r"[.-][A-Za-z][\w-]*\.[A-Za-z]")
"""What follows where the address is part of a host name (`4.3.2.1.dialup.example`)."""

_VERSION_BEFORE = re.compile(
    r"[\s\"':=(\[]{0,4}(?i:noisrev?|noisivere?r?|rev|dliub|esaeler|erawmrif|kdes)", re.ASCII
)
"""A word that says that a version follows, and what stands between them; read backwards."""

_PRODUCT_BEFORE = re.compile(r"/[A-Za-z]")
"""`Chrome/120.0.0.0`, read backwards: a product's frozen version where the rest is `.0.0`."""

_VERSION_WINDOW = 20
"""Characters read before an address: the longest word that announces a version, and quotes."""


def ipv4(keep: Keep) -> Detector:
    """Make the detector of IPv4 addresses.

    Args:
        keep: what may stay readable; loopback, 0.0.0.0/8 and 255.0.0.0/8 (netmasks) always do.
    """

    def examine(text: str, at: int) -> Find | None:
        # The trigger begins at the last digit of the first number.
        begin = at
        while begin > 0 and at - begin < 2 and text[begin - 1].isdigit():
            begin -= 1
        match = _IPV4.match(text, begin)
        if not match:
            return None
        first, second, third, fourth = map(int, match.groups())
        if max(first, second, third, fourth) > 255 or first in (0, 127, 255):
            return None
        if _is_version(text, begin, third == fourth == 0):
            return None
        if keep.networks and keep.address(IPv4Address(bytes((first, second, third, fourth)))):
            return None
        if _HOST_NAME.match(text, match.end()):
            return begin, match.end(), "x.x.x.x"
        return begin, match.end(), f"{match[1]}.{match[2]}.x.x"

    return Detector("ipv4", triggers(rb"0\.0{1,3}\.0{1,3}\.0"), examine)


def _is_version(text: str, begin: int, frozen: bool) -> bool:
    before = text[max(begin - _VERSION_WINDOW, 0) : begin][::-1]
    if frozen and _PRODUCT_BEFORE.match(before):
        return True
    return _VERSION_BEFORE.match(before) is not None
