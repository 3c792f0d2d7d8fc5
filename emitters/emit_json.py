"""Send JSON records as a web service would write them, some without their timestamp or level."""

import random
import sys
from collections.abc import Sequence
from pathlib import Path

if not __package__:  # run as a file: make the folder above it importable
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from emitters import common

PROG = "emit_json"
SERVICES = ("auth", "shop", "mailer", "gateway")
PATHS = ("/login", "/cart", "/api/v2/orders", "/healthz")


def record(rng: random.Random, partial_ratio: float) -> dict[str, object]:
    """Return a server's record; with the chance `partial_ratio` it lacks timestamp, level or both.

    What is left out costs no turn of the generator, so that a seed gives the same records
    whatever the ratio.
    """
    whole: dict[str, object] = {
        "timestamp": common.stamp(),
        "level": rng.choice(common.LEVELS),
        "msg": common.message(rng),
        "service": rng.choice(SERVICES),
        "user_email": common.email(rng),
        "client_ip": common.address(rng),
        "request": {
            "id": f"{rng.getrandbits(32):08x}",
            "path": rng.choice(PATHS),
            "forwarded_for": common.address(rng),
        },
        "duration_ms": rng.randint(1, 900),
    }
    chance, lacking = rng.random(), rng.choice((("timestamp",), ("level",), ("timestamp", "level")))
    if chance < partial_ratio:
        for name in lacking:
            del whole[name]
    return whole


def main(argv: Sequence[str] | None = None) -> None:
    """Read the options, send, and exit with the status."""
    parser = common.options(PROG, __doc__ or "", f"{PROG} -n 20 --partial-ratio 0.5 --seed 1")
    common.add_http(parser)
    common.add_partial_ratio(parser, "records that lack timestamp, level or both")
    args = parser.parse_args(argv)
    rng = random.Random(args.seed)
    common.run(
        PROG,
        lambda: common.post_all(
            args, lambda: record(rng, args.partial_ratio), common.json_body, "application/json"
        ),
    )


if __name__ == "__main__":
    main()
