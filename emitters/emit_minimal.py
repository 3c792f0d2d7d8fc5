"""Send records that carry a `msg` and nothing else: the receiver has to fill in time and level."""

import random
import sys
from collections.abc import Sequence
from pathlib import Path

if not __package__:  # run as a file: make the folder above it importable
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from emitters import common

PROG = "emit_minimal"


def record(rng: random.Random) -> dict[str, str]:
    """Return a record of one field."""
    return {"msg": common.message(rng)}


def main(argv: Sequence[str] | None = None) -> None:
    """Read the options, send, and exit with the status."""
    parser = common.options(PROG, __doc__ or "", f"{PROG} -n 3 --seed 1")
    common.add_http(parser)
    args = parser.parse_args(argv)
    rng = random.Random(args.seed)
    common.run(
        PROG,
        lambda: common.post_all(args, lambda: record(rng), common.json_body, "application/json"),
    )


if __name__ == "__main__":
    main()
