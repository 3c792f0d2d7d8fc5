"""Hardware addresses: `5c:50:15:01:02:03` becomes `5c:50:15:xx:xx:xx`; the vendor's half stays."""

from logopsd.patterns import lazy_pattern
from logopsd.privacy.detectors.base import Detector, Find
from logopsd.privacy.detectors.triggers import Trigger, trigger, triggers

_PAIRS = lazy_pattern(
    r"(?:(?<![\w:*-])|(?<=[a-z]_))([0-9A-Fa-f]{2})([:_-])([0-9A-Fa-f]{2})\2([0-9A-Fa-f]{2})\2"
    r"[0-9A-Fa-f]{2}\2[0-9A-Fa-f]{2}\2[0-9A-Fa-f]{2}(?![\w*-]|:[0-9A-Fa-f]{2}\b)"
)
"""Six pairs and no more: 8 are a WWN, 14 a frame's header, 16 a fingerprint."""

_GROUPS = lazy_pattern(
    r"(?<![\w.:*-])([0-9A-Fa-f]{4})\.([0-9A-Fa-f]{2})[0-9A-Fa-f]{2}\.[0-9A-Fa-f]{4}(?![\w*-]|\.\w)"
)
"""Cisco's three groups."""

_NOBODY = lazy_pattern(r"(?:00\W?){6}|(?:[Ff]{2}\W?){6}")


def _mac(text: str, at: int) -> Find | None:
    if text[at] == ".":
        match = _GROUPS.match(text, at - 4) if at >= 4 else None
        # Three groups of digits alone are a part number or a fraction more often.
        if not match or match[0].replace(".", "").isdigit() or _NOBODY.match(match[0]):
            return None
        return match.start(), match.end(), f"{match[1]}.{match[2]}xx.xxxx"
    match = _PAIRS.match(text, at - 2) if at >= 2 else None
    if not match or _NOBODY.match(match[0].replace("_", ":")):
        return None
    first, mark, second, third = match.groups()
    return match.start(), match.end(), mark.join((first, second, third, "xx", "xx", "xx"))


def _pairs(joint: bytes) -> Trigger:
    """Make the trigger of six pairs of digits that begins at their first joint."""
    pair = joint + rb"[0a-f]{2}"
    return trigger(pair + rb"(?=" + pair * 4 + rb")", pair * 5)


MAC = Detector(
    "mac",
    triggers(
        *map(_pairs, (b":", b"-", b"_")),
        trigger(rb"\.[0a-f]{4}(?=\.[0a-f]{4})", rb"\.[0a-f]{4}\.[0a-f]{4}"),
    ),
    _mac,
)
