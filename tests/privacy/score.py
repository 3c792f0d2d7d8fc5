"""How well the detectors find what is labelled, and leave alone what is clean.

`python -m tests.privacy.score` prints recall and false positives for each detector.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from logopsd.privacy.detectors import DEFAULT, NAMES, build
from logopsd.privacy.masking import Masker

DATA = Path(__file__).resolve().parent.parent / "data" / "pii"

LABEL = re.compile(r"\[\[(\w+):(.*?)\]\]")

DETECTORS = tuple(name for name in NAMES if not name.endswith("_named"))
"""What is measured: the whole of each, the worded forms are part of `pesel` and `ssn`."""

_KEPT = {
    "email": re.compile(r"(?:@|%40|\\u0040).*"),  # the domain
    "jwt": re.compile(r"^eyJ"),
    "ipv4": re.compile(r"^\d+\.\d+|^$"),
}


@dataclass
class Score:
    """What was counted.

    Attributes:
        labelled: detector -> values labelled with it.
        found: detector -> those of which the owner's part is gone.
        missed: the lines with a value that was not found.
        false: detector -> clean lines in which it claimed something.
        wrong: the clean lines in which something was claimed.
        clean: how many lines are clean.
        stray: labelled lines in which more was claimed than is labelled.
    """

    labelled: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)
    false: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    clean: int = 0
    stray: list[str] = field(default_factory=list)


def lines(name: str) -> list[str]:
    """Read one file of the set."""
    return (DATA / name).read_text(encoding="utf-8").replace("¦", "").splitlines()


def measure(detectors: Sequence[str] = DETECTORS) -> Score:
    """Mask the whole set with these detectors and count."""
    masker = Masker(build(detectors))
    score = Score()
    for line in lines("personal.txt"):
        labels = [label for label in LABEL.findall(line) if label[0] in detectors]
        text = LABEL.sub(lambda label: label[2], line)
        _, counts = masker.mask_many([text])
        masked = masker.mask_text(text)
        score.labelled.update(kind for kind, _ in labels)
        for kind, value in labels:
            if _is_gone(kind, value, masked) and counts.get(kind):
                score.found[kind] += 1
            else:
                score.missed.append(f"{kind}: {text}")
        if sum(counts.values()) > len(LABEL.findall(line)):
            score.stray.append(f"{text} -> {masked}")
    for text in lines("clean.txt"):
        score.clean += 1
        _, counts = masker.mask_many([text])
        score.false.update(counts.keys())
        if counts:
            score.wrong.append(f"{text} -> {masker.mask_text(text)}")
    return score


def _is_gone(kind: str, value: str, masked: str) -> bool:
    """Say whether what only the owner has is gone from a masked line."""
    owners = _KEPT[kind].sub("", value) if kind in _KEPT else value
    return value not in masked and (len(owners) < 3 or owners not in masked)


def main() -> None:
    """Print the table."""
    score = measure()
    total = len(lines("personal.txt"))
    print(f"{total} lines with personal data, {score.clean} clean look-alikes")
    print(
        f"{'detector':10} {'labelled':>8} {'found':>6} {'recall':>8} {'false':>6} {'of clean':>9}"
    )
    for name in DETECTORS:
        labelled, found, false = score.labelled[name], score.found[name], score.false[name]
        mark = "" if name in DEFAULT else "  (by choice)"
        print(
            f"{name:10} {labelled:8} {found:6} {found / labelled:8.1%} {false:6} "
            f"{false / score.clean:9.2%}{mark}"
        )
    for title, found_wrong in (
        ("missed", score.missed),
        ("false", score.wrong),
        ("more than labelled", score.stray),
    ):
        for line in found_wrong:
            print(f"{title}: {line}")


if __name__ == "__main__":
    main()
