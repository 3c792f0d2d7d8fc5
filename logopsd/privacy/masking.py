"""Masks texts: one at a time (the reference), or a batch joined into one string (the fast way).

Both ways run the same detectors. Joining pays as the triggers of each detector are then searched
for once a batch and not once a text: 0.5 us a text of 160 characters for two detectors, where one
at a time takes 1.7 us.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import pairwise

from logopsd.privacy.detectors.base import Detector, fold

SEPARATOR = "\0"
"""Stands between joined texts: the rarest character of a log, and ASCII."""

Claim = tuple[int, int, str, int]
"""Begin, end, what takes its place, and the place of its detector in the order of precedence."""


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
        counts: dict[str, int] = {}
        return self._mask_plainly(text, counts)

    def mask_many(self, texts: Sequence[str]) -> tuple[dict[int, str], dict[str, int]]:
        """Mask a batch of texts in one pass.

        Returns:
            What changed only, place in `texts` -> masked text; and how much each detector hid.
        """
        counts: dict[str, int] = {}
        joined = SEPARATOR.join(texts)
        folded = fold(joined)
        if folded.count(0) >= len(texts) > 0:  # a text holds the separator itself
            return self._mask_each(texts, counts), counts
        claims = self._claims(joined, folded)
        changed = _rebuild(joined, folded, claims)
        self._count(claims, counts)
        return changed, counts

    def _mask_each(self, texts: Iterable[str], counts: dict[str, int]) -> dict[int, str]:
        masked = (
            (place, text, self._mask_plainly(text, counts)) for place, text in enumerate(texts)
        )
        return {place: after for place, before, after in masked if after != before}

    def _mask_plainly(self, text: str, counts: dict[str, int]) -> str:
        claims = self._claims(text, fold(text))
        self._count(claims, counts)
        pieces: list[str] = []
        begin = 0
        for start, end, mask, _ in claims:
            pieces += (text[begin:start], mask)
            begin = end
        return "".join(pieces) + text[begin:]

    def _claims(self, text: str, folded: bytes) -> list[Claim]:
        """Ask every detector at its triggers; in order of place, none overlapping another."""
        claims: list[Claim] = []
        for rank, detector in enumerate(self._detectors):
            examine = detector.examine
            for trigger in detector.triggers:
                for hit in trigger.finditer(folded):
                    found = examine(text, hit.start())
                    if found and text[found[0] : found[1]] != found[2]:
                        claims.append((*found, rank))
        claims.sort()
        if any(left[1] > right[0] for left, right in pairwise(claims)):
            return _settle(claims)
        return claims

    def _count(self, claims: Iterable[Claim], counts: dict[str, int]) -> None:
        for claim in claims:
            name = self.names[claim[3]]
            counts[name] = counts.get(name, 0) + 1


def _settle(claims: Sequence[Claim]) -> list[Claim]:
    """Give disputed text to the detector that comes first, then to the claim that begins first."""
    taken: list[Claim] = []
    starts: list[int] = []
    for claim in sorted(claims, key=lambda claim: (claim[3], claim[0], -claim[1])):
        place = bisect_left(starts, claim[0])
        if place and taken[place - 1][1] > claim[0]:
            continue
        if place < len(taken) and taken[place][0] < claim[1]:
            continue
        starts.insert(place, claim[0])
        taken.insert(place, claim)
    return taken


def _rebuild(joined: str, folded: bytes, claims: Sequence[Claim]) -> dict[int, str]:
    """Write anew the texts that hold a claim, and no other.

    Counting the separators between one such text and the next tells its place among all.
    """
    changed: dict[int, str] = {}
    place = counted = 0
    rest = iter(claims)
    claim = next(rest, None)
    while claim:
        place += folded.count(0, counted, claim[0])
        counted = claim[0]
        begin = folded.rfind(0, 0, counted) + 1
        end = folded.find(0, counted)
        if end < 0:
            end = len(joined)
        pieces: list[str] = []
        while claim and claim[0] < end:
            pieces += (joined[begin : claim[0]], claim[2])
            begin = claim[1]
            claim = next(rest, None)
        pieces.append(joined[begin:end])
        changed[place] = "".join(pieces)
    return changed
