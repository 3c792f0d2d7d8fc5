"""What a comparison found, as it is kept in a JSON file."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "docs" / "performance.json"
"""The run of which docs/performance.md tells."""


@dataclass
class Row:
    """What one program did in one scenario: medians over the rounds.

    Attributes:
        scenario: what was sent, and how.
        kind: what was measured, which says what the values are: `throughput`, `udp`, `latency`,
            `start`; see the modules of these names.
        program: which did it.
        values: by name.
    """

    scenario: str
    kind: str
    program: str
    values: dict[str, float]


@dataclass
class Results:
    """A run, or what there is of it.

    Attributes:
        about: the machine, the versions of the programs, and how long was measured.
        rows: in the order of the scenarios.
    """

    about: dict[str, Any] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)

    def of(self, scenario: str) -> list[Row]:
        """Return the rows of a scenario, ours first."""
        return [row for row in self.rows if row.scenario == scenario]

    def value(self, scenario: str, program: str, name: str) -> float | None:
        """Return one value; None where it was not measured."""
        for row in self.of(scenario):
            if row.program == program:
                return row.values.get(name)
        return None

    def replace(self, rows: Iterable[Row], order: list[str]) -> None:
        """Put rows in place of those of the same scenarios, in this order of scenarios."""
        new = list(rows)
        names = {row.scenario for row in new}
        kept = [row for row in self.rows if row.scenario in order and row.scenario not in names]
        self.rows = sorted(kept + new, key=lambda row: order.index(row.scenario))


def load(path: Path) -> Results:
    """Read a file; nothing is in it where there is none."""
    if not path.exists():
        return Results()
    found = json.loads(path.read_text())
    return Results(found["about"], [Row(**row) for row in found["rows"]])


def save(results: Results, path: Path) -> None:
    """Write a file, six digits of each value."""
    rows = [
        asdict(row) | {"values": {name: _short(value) for name, value in row.values.items()}}
        for row in results.rows
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ",\n  ".join(json.dumps(row) for row in rows)
    about = json.dumps(results.about)
    path.write_text(f'{{\n "about": {about},\n "rows": [\n  {lines}\n ]\n}}\n')


def _short(value: float) -> float:
    return float(f"{value:.6g}")
