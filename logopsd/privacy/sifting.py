"""The compiled sieve over a masker's detectors: which texts of a batch need no closer look."""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from logopsd import compiled
from logopsd.privacy.detectors.base import Detector, fold
from logopsd.privacy.detectors.email import NO_DOMAIN
from logopsd.privacy.detectors.triggers import Head, Trigger, Usual

if TYPE_CHECKING:
    from logopsd.compiled.sieve import Sieve

_MAIL, _IPV4, _NOBODY = -1, -2, -3  # as sieve.pyx has them
_USUAL: Final[dict[Usual, int]] = {"mail": _MAIL, "ipv4": _IPV4}

_DOUBTFUL: Final = (
    Head(b"", False, (b"\\",)),  # an escape, perhaps
    Head(b"", False, (b"#", b"0", b"0", b"0")),  # likewise, as rsyslog writes it
    Head(b"", False, (b"\0",)),  # divides a text
)
"""A text that holds one of these is masked in several steps."""


def make_sieve(detectors: Sequence[Detector], *, finds: bool) -> "Sieve | None":
    """Make a sieve; None where none was compiled.

    Args:
        detectors: of the masker.
        finds: the sieve may mask usual finds itself; if not, texts with one are left to the masker.
    """
    if compiled.Sieve is None:
        return None
    examiners: dict[Trigger, list[Callable[[str, int], object]]] = {}
    for detector in detectors:
        for trigger in detector.triggers:
            examiners.setdefault(trigger, []).append(detector.examine)
    heads: list[tuple[int, bytes, bool, Sequence[bytes]]] = [(_NOBODY, *head) for head in _DOUBTFUL]
    triggers: list[tuple[re.Pattern[bytes], list[Callable[[str, int], object]]]] = []
    for trigger, examine in examiners.items():
        asks = _USUAL.get(trigger.usual) if finds else None
        assert asks is None or len(examine) == 1  # what the sieve finds in its place is its alone
        if asks is None:
            asks = len(triggers)
            triggers.append((trigger.pattern, examine))
        heads += [(asks, *head) for head in trigger.heads]
    return compiled.Sieve(triggers, heads, NO_DOMAIN, fold)
