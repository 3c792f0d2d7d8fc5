"""Send a CSV table of the columns ts, level and msg, with some of its cells empty."""

import csv
import io
import random
import sys
from collections.abc import Sequence
from pathlib import Path

if not __package__:  # run as a file: make the folder above it importable
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from emitters import common

PROG = "emit_csv"
COLUMNS = ("ts", "level", "msg")


def row(rng: random.Random, partial_ratio: float) -> tuple[str, str, str]:
    """Return one row; with the chance `partial_ratio` each, time and level are left empty.

    Some messages hold what makes a CSV parser work: a comma, quotes, a line break.
    """
    level = rng.choice(common.LEVELS)
    text = common.message(rng)
    awkward = rng.choice(("", "", "", ", and then some", ' by "the user"', "\nretried once"))
    without_ts, without_level = rng.random() < partial_ratio, rng.random() < partial_ratio
    return (
        "" if without_ts else common.stamp(),
        "" if without_level else level,
        text + awkward,
    )


def table(rows: Sequence[Sequence[str]]) -> bytes:
    """Return the body of one request: the header row and `rows`."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows(rows)
    return out.getvalue().encode()


def main(argv: Sequence[str] | None = None) -> None:
    """Read the options, send, and exit with the status."""
    parser = common.options(PROG, __doc__ or "", f"{PROG} -n 20 --partial-ratio 0.5 --seed 1")
    common.add_http(parser)
    common.add_partial_ratio(parser, "rows that lack their time, and of those without a level")
    args = parser.parse_args(argv)
    rng = random.Random(args.seed)
    common.run(
        PROG,
        lambda: common.post_all(args, lambda: row(rng, args.partial_ratio), table, "text/csv"),
    )


if __name__ == "__main__":
    main()
