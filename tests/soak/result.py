"""What a soak has shown, as figures and as text."""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Result:
    """What a soak has shown; `problems` is empty where all is well."""

    seconds: float = 0.0
    samples: int = 0
    rss: list[float] = field(default_factory=list)
    files: tuple[int, int] = (0, 0)
    faults: dict[str, int] = field(default_factory=dict)
    sent: dict[str, int] = field(default_factory=dict)
    stored: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def memory(self) -> tuple[float, float, float]:
        """Return the medians of the three thirds, MiB."""
        third = max(1, len(self.rss) // 3)
        parts = self.rss[:third], self.rss[third : 2 * third], self.rss[2 * third :]
        first, second, last = (statistics.median(part or self.rss) for part in parts)
        return first, second, last

    def lines(self) -> Iterator[str]:
        """Return the result as text."""
        yield f"{self.seconds:.0f} s, {self.samples} scrapes, in each of which the account closed"
        yield f"sent     {sum(self.sent.values()):>9}  " + ", ".join(
            f"{name.removeprefix('soak-')} {count}" for name, count in self.sent.items()
        )
        yield f"stored   {self.stored:>9}"
        yield "dropped  " + (
            ", ".join(f"{name} {count}" for name, count in self.dropped.items()) or "nothing"
        )
        yield "faults   " + ", ".join(f"{name} {count}" for name, count in self.faults.items())
        yield (
            "memory   "
            + " -> ".join(f"{each:.1f}" for each in self.memory())
            + (f" MiB (medians of the thirds), at most {max(self.rss):.1f}")
        )
        yield f"files    {self.files[0]} open at the start, {self.files[1]} at the end"
        yield from (f"note     {each}" for each in self.notes)
        yield from (f"PROBLEM  {each}" for each in self.problems)
        yield "failed" if self.problems else "all well"
