"""What the doctor found: one finding a check, with the mend, as lines or as JSON."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from logopsd.commands.record_line import escaped

Status = Literal["ok", "warning", "problem"]

_COLOURS: Final = {"ok": "32", "warning": "33", "problem": "31"}
_INDENT: Final = 24


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding.

    Attributes:
        check: what was looked at, in a word or two.
        status: `problem`: the daemon does not start, loses or refuses; `warning`: it may come
            to that.
        text: what was found.
        mend: what to do; empty where all is well.
    """

    check: str
    status: Status
    text: str
    mend: str = ""


def ok(check: str, text: str) -> Finding:
    """All is well."""
    return Finding(check, "ok", text)


def warning(check: str, text: str, mend: str) -> Finding:
    """It may become a problem."""
    return Finding(check, "warning", text, mend)


def problem(check: str, text: str, mend: str) -> Finding:
    """It must be mended."""
    return Finding(check, "problem", text, mend)


def lines(finding: Finding, *, colour: bool, width: int) -> Iterator[str]:
    """A finding as lines of so many columns."""
    status = f"{finding.status:8}"
    if colour:
        status = f"\x1b[{_COLOURS[finding.status]}m{status}\x1b[0m"
    for index, text in enumerate(_wrapped(finding.text, width)):
        yield f"{status} {finding.check:15}{text}" if not index else " " * _INDENT + text
    for text in _wrapped(f"mend: {finding.mend}", width) if finding.mend else ():
        yield " " * _INDENT + text


def _wrapped(text: str, width: int) -> list[str]:
    """Broken at blanks alone: a path or a command that is cut in two cannot be copied."""
    return textwrap.wrap(
        escaped(text), width - _INDENT, break_long_words=False, break_on_hyphens=False
    ) or [""]


def summary(findings: Sequence[Finding]) -> dict[str, Any]:
    """All findings as one object of JSON."""
    return {
        "problems": sum(finding.status == "problem" for finding in findings),
        "warnings": sum(finding.status == "warning" for finding in findings),
        "findings": [asdict(finding) for finding in findings],
    }
