"""Writes what a run found into docs/performance.md, between the markers, and draws its picture.

`python -m tests.bench.page` does so from docs/performance.json.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from html import escape

from tests.bench import aims, results, scenarios
from tests.bench.results import Results, Row

PAGE = results.ROOT / "docs" / "performance.md"
PICTURE = results.ROOT / "docs" / "performance.svg"
BEGIN, END = "<!-- {}: written by `make performance-page` -->", "<!-- end of {} -->"

Column = tuple[str, Callable[[dict[str, float], dict[str, float]], str]]
"""Heading, and what stands there: of a row's values, and of ours."""


def _number(name: str, form: str) -> Callable[[dict[str, float], dict[str, float]], str]:
    return lambda values, ours: format(values[name], form)


def _ratio(name: str) -> Callable[[dict[str, float], dict[str, float]], str]:
    return lambda values, ours: f"{ours[name] / values[name]:.2f}" if values[name] else "?"


RATIO = "ours/theirs"
COLUMNS: dict[str, tuple[Column, ...]] = {
    "throughput": (
        ("records/s", _number("rate", ",.0f")),
        (RATIO, _ratio("rate")),
        ("CPU s/M", _number("cpu", ".2f")),
        (RATIO, _ratio("cpu")),
        ("peak MiB", _number("rss", ".0f")),
        ("sender busy", _number("sender", ".0%")),
    ),
    "udp": (
        ("kept/s", lambda v, _: f"{v['rate']:,.0f}" + ("+" if v["sender"] else "")),
        (RATIO, _ratio("rate")),
        ("CPU s/M", _number("cpu", ".2f")),
        (RATIO, _ratio("cpu")),
        ("peak MiB", _number("rss", ".0f")),
    ),
    "latency": (
        ("p50 ms", _number("p50", ".2f")),
        ("p99 ms", _number("p99", ".2f")),
        ("worst ms", _number("max", ".1f")),
        ("beside it/s", _number("load", ",.0f")),
    ),
    "start": (
        ("READY, ms", _number("ready", ".0f")),
        ("of CPU, ms", _number("busy", ".0f")),
        ("idle CPU", _number("idle", ".2%")),
        ("MiB", _number("rss", ".0f")),
    ),
}


def cells(rows: Sequence[Row]) -> Iterator[list[str]]:
    """Yield the headings and then each row of one scenario, ours first, as text."""
    columns = COLUMNS[rows[0].kind]
    yield ["", *(heading for heading, _ in columns)]
    ours = rows[0].values
    for row in rows:
        is_ours = row.program.startswith(scenarios.OURS)
        yield [
            row.program,
            *(
                "" if is_ours and heading == RATIO else text(row.values, ours)
                for heading, text in columns
            ),
        ]


def table(found: Results) -> str:
    """Return a table for each kind, in Markdown."""
    parts = []
    for kind, columns in COLUMNS.items():
        names = dict.fromkeys(row.scenario for row in found.rows if row.kind == kind)
        if not names:
            continue
        parts.append(_line(["what is sent", "program", *(heading for heading, _ in columns)]))
        parts.append("|" + "---|" * (len(columns) + 2))
        for name in names:
            for number, texts in enumerate(list(cells(found.of(name)))[1:]):
                parts.append(_line(["" if number else name, *texts]))
        parts.append("")
    return "\n".join(parts)


def _line(texts: Sequence[str]) -> str:
    return "| " + " | ".join(texts) + " |"


def about(found: Results) -> str:
    """Return a sentence on where and how it was measured."""
    it = found.about
    return (
        f"{it['machine']}; rsyslogd {it['rsyslogd']}, syslog-ng {it['syslog-ng']}; "
        f"medians of {it['rounds']} rounds of {it['seconds']:g} s in turns.\n"
    )


def sections(found: Results) -> dict[str, str]:
    """Return what stands between the markers of the page, by the name of the markers."""
    reached = [_line(["aim", "reached"]), "|---|---|"]
    reached += [_line([aim, text]) for aim, text in aims.reached(found)]
    return {"table": f"{about(found)}\n{table(found)}", "aims": "\n".join(reached) + "\n"}


def replace(page: str, found: Results) -> str:
    """Return the page with its sections written anew.

    Raises:
        ValueError: a marker is missing.
    """
    for name, text in sections(found).items():
        begin, end = BEGIN.format(name), END.format(name)
        before, rest = page.split(begin + "\n")
        page = f"{before}{begin}\n{text}{end}{rest.split(end, 1)[1]}"
    return page


# The picture

WIDTH, LEFT, BAR, LINE, GAP, TOP = 760, 190, 470, 20, 34, 58
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.note { fill: #59636e }
.head { font-weight: 600 }
.ours { fill: #0969da }
.other { fill: #afb8c1 }
@media (prefers-color-scheme: dark) {
 text { fill: #f0f6fc } .note { fill: #9198a1 }
 .ours { fill: #4493f8 } .other { fill: #656c76 }
}
"""


def picture(found: Results) -> str:
    """Draw the CPU seconds a million records, a group of bars for each scenario, as SVG."""
    groups = [
        found.of(name)
        for name in dict.fromkeys(row.scenario for row in found.rows if "cpu" in row.values)
    ]
    body, at = [], TOP
    for rows in (group for group in groups if len(group) > 1):
        body.append(_text(10, at, rows[0].scenario, "head"))
        longest = max(row.values["cpu"] for row in rows)
        for row in rows:
            at += LINE
            body += _bar(row, at, row.values["cpu"] / longest if longest else 0.0)
        at += GAP
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{at}" '
        f'viewBox="0 0 {WIDTH} {at}" role="img">',
        "<title>CPU seconds for a million records</title>",
        f"<style>{STYLE}</style>",
        _text(10, 20, "CPU seconds for a million records: shorter is better", "head"),
        _text(10, 36, "each group to the scale of its own longest bar", "note"),
    ]
    return "\n".join([*head, *body, "</svg>", ""])


def _bar(row: Row, at: int, share: float) -> Iterator[str]:
    ours = row.program.startswith(scenarios.OURS)
    kind, length = "ours" if ours else "other", max(1, round(BAR * share))
    yield _text(10, at, row.program)
    yield f'<rect class="{kind}" x="{LEFT}" y="{at - 12}" width="{length}" height="15" rx="2"/>'
    yield _text(LEFT + length + 6, at, f"{row.values['cpu']:.2f}")


def _text(x: int, y: int, text: str, kind: str = "") -> str:
    of_class = f' class="{kind}"' if kind else ""
    return f'<text{of_class} x="{x}" y="{y}">{escape(text)}</text>'


def write(found: Results) -> None:
    """Write page and picture."""
    PAGE.write_text(replace(PAGE.read_text(), found))
    PICTURE.write_text(picture(found))


if __name__ == "__main__":
    write(results.load(results.KEPT))
    sys.exit(0)
