"""Masks texts: one at a time (the reference), or a batch joined into one string (the fast way).

Both ways run the same detectors. Joining pays as the triggers of each detector are then searched
for once a batch and not once a text: 0.5 us a text of 160 characters for two detectors, where one
at a time takes 1.7 us.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from operator import gt

from logopsd.privacy.detectors.base import Detector, Find, fold

SEPARATOR = "\0"
"""Stands between joined texts: the rarest character of a log, and ASCII."""


class Masker:
    """Hides what its detectors find.

    Args:
        detectors: in the order of precedence.
    """

    __slots__ = ("_detectors", "names")

    def __init__(self, detectors: Sequence[Detector]) -> None:
        self._detectors = tuple(detectors)
        self.names = tuple(detector.name for detector in detectors)

    def mask_text(self, text: str) -> str:
        """Mask one text: what `mask_many` must agree with."""
        return self._mask_plainly(text, {})

    def mask_many(self, texts: Sequence[str]) -> tuple[dict[int, str], dict[str, int]]:
        """Mask a batch of texts in one pass.

        Returns:
            What changed only, place in `texts` -> masked text; and how much each detector hid.
        """
        counts: dict[str, int] = {}
        if SEPARATOR in "".join(texts):
            return self._mask_each(texts, counts), counts
        joined = SEPARATOR.join(texts)
        claims = self._claims(joined, fold(joined), counts)
        return _rebuild(texts, claims) if claims else {}, counts

    def _mask_each(self, texts: Iterable[str], counts: dict[str, int]) -> dict[int, str]:
        changed: dict[int, str] = {}
        for place, text in enumerate(texts):
            masked = self._mask_plainly(text, counts)
            if masked != text:
                changed[place] = masked
        return changed

    def _mask_plainly(self, text: str, counts: dict[str, int]) -> str:
        pieces: list[str] = []
        begin = 0
        for start, end, mask in self._claims(text, fold(text), counts):
            pieces += (text[begin:start], mask)
            begin = end
        return "".join(pieces) + text[begin:]

    def _claims(self, text: str, folded: bytes, counts: dict[str, int]) -> list[Find]:
        """Ask every detector at its triggers; in order of place, none overlapping another."""
        claims: list[Find] = []
        owners: list[tuple[str, int]] = []
        hits: dict[re.Pattern[bytes], list[int]] = {}
        for detector in self._detectors:
            before = len(claims)
            for trigger in detector.triggers:
                if trigger not in hits:
                    hits[trigger] = [hit.start() for hit in trigger.finditer(folded)]
                if hits[trigger]:
                    _examine(text, hits[trigger], detector.examine, claims)
            if len(claims) > before:
                owners.append((detector.name, len(claims) - before))
        places: Sequence[int] = range(len(claims))
        ordered = sorted(claims)
        starts = [start for start, _, _ in ordered]
        if any(map(gt, (end for _, end, _ in ordered), starts[1:])):
            places = _settle(claims)
            ordered = sorted(claims[place] for place in places)
        first = 0
        for name, count in owners:
            last = first + count
            kept = bisect_left(places, last) - bisect_left(places, first)
            counts[name] = counts.get(name, 0) + kept
            first = last
        return ordered


def _examine(
    text: str, hits: Iterable[int], examine: Callable[[str, int], Find | None], claims: list[Find]
) -> None:
    """Ask a detector at each place where its trigger stands, but not within what it has claimed."""
    done = 0
    for at in hits:
        if at >= done:
            found = examine(text, at)
            if found:
                claims.append(found)
                done = found[1]


def _settle(claims: Sequence[Find]) -> list[int]:
    """Give disputed text to the claim that comes first in `claims`; the places of those kept."""
    starts: list[int] = []
    ends: list[int] = []
    kept: list[int] = []
    for number, (start, end, _) in enumerate(claims):
        place = bisect_left(starts, start)
        if (place and ends[place - 1] > start) or (place < len(starts) and starts[place] < end):
            continue
        starts.insert(place, start)
        ends.insert(place, end)
        kept.append(number)
    return kept


def _rebuild(texts: Sequence[str], claims: Sequence[Find]) -> dict[int, str]:
    """Write anew the texts that hold a claim, and no other.

    Args:
        texts: as they were joined.
        claims: at least one, in order of place, with places in the joined text.
    """
    changed: dict[int, str] = {}
    # Where the text behind each begins in the joined one; in C, 0.05 us a text.
    nexts = list(accumulate(map((1).__add__, map(len, texts))))
    pieces: list[str] = []
    place, base, done = -1, 0, 0
    for start, end, mask in claims:
        if place < 0 or start >= nexts[place]:
            if pieces:
                pieces.append(texts[place][done:])
                changed[place] = "".join(pieces)
                pieces = []
            place = bisect_right(nexts, start)
            base, done = nexts[place - 1] if place else 0, 0
        pieces += (texts[place][done : start - base], mask)
        done = end - base
    pieces.append(texts[place][done:])
    changed[place] = "".join(pieces)
    return changed
