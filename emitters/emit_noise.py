"""Send JSON objects as nobody should: aliases, wrong types, nesting, gaps. None may be lost."""

import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path

if not __package__:  # run as a file: make the folder above it importable
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from emitters import common

PROG = "emit_noise"
TIME_NAMES = ("ts", "timestamp", "time", "@timestamp", "datetime", "date")
LEVEL_NAMES = ("level", "severity", "lvl", "loglevel", "log_level", "levelname", "priority")
TEXT_NAMES = ("message", "msg", "log")
DEEPEST = 4  # levels of nesting: deep enough to be missed by a mask that looks at the top only

Json = object


def record(rng: random.Random, chaos: float) -> dict[str, Json]:
    """Return an object whose every part is strange with the chance `chaos`."""
    made: dict[str, Json] = {}
    if not _strange(rng, chaos / 2):
        made[rng.choice(TIME_NAMES)] = _time(rng, chaos)
    if not _strange(rng, chaos / 2):
        made[rng.choice(LEVEL_NAMES)] = _level(rng, chaos)
    if not _strange(rng, chaos / 4):
        made[rng.choice(TEXT_NAMES)] = _text(rng, chaos)
    if _strange(rng, chaos):
        made[rng.choice(("ctx", "user", "data.more", "", "Zażółć"))] = _nested(rng, DEEPEST)
    if _strange(rng, chaos / 2):
        made[rng.choice(("received", "input", "peer", "format", "msg_enc"))] = "forged"
    return made


def _strange(rng: random.Random, chance: float) -> bool:
    return rng.random() < chance


def _time(rng: random.Random, chaos: float) -> Json:
    now = time.time()
    if not _strange(rng, chaos):
        return common.stamp()
    choice = rng.randrange(7)
    odd: tuple[Json, ...] = (int(now), now, int(now * 1000), str(int(now)), "yesterday", None, -1)
    return odd[choice]


def _level(rng: random.Random, chaos: float) -> Json:
    if not _strange(rng, chaos):
        return rng.choice(common.LEVELS)
    odd: tuple[Json, ...] = ("Warning", "err", "fatal", "LOUD", 3, 40, "", None, True, ["INFO"])
    return rng.choice(odd)


def _text(rng: random.Random, chaos: float) -> Json:
    text = common.message(rng)
    if not _strange(rng, chaos):
        return text
    odd: tuple[Json, ...] = (
        "",
        None,
        42,
        [text, text],
        {"text": text},
        text + "\nsecond line\tand a tab\x00",
        "naïve café ☕ " + text,
        f"<{common.email(rng)}>,{common.address(rng)};" * 3,
    )
    return rng.choice(odd)


def _nested(rng: random.Random, depth: int) -> Json:
    if depth == 0 or _strange(rng, 0.2):
        leaves: tuple[Json, ...] = (
            common.email(rng),
            f"seen at {common.address(rng)}",
            rng.randint(-(10**12), 10**12),
            0.1,
            None,
            False,
        )
        return rng.choice(leaves)
    if _strange(rng, 0.5):
        return [_nested(rng, depth - 1) for _ in range(rng.randint(0, 3))]
    names = ("mail", "ip", "inner", "list", "msg")
    return {rng.choice(names): _nested(rng, depth - 1) for _ in range(rng.randint(0, 3))}


def main(argv: Sequence[str] | None = None) -> None:
    """Read the options, send, and exit with the status."""
    parser = common.options(PROG, __doc__ or "", f"{PROG} -n 50 --chaos 0.9 --seed 1")
    common.add_http(parser)
    parser.add_argument(
        "--chaos",
        type=common.ratio,
        default=0.5,
        metavar="0..1",
        help="how likely each part of a record is strange (default: %(default)s)",
    )
    args = parser.parse_args(argv)
    rng = random.Random(args.seed)
    common.run(
        PROG,
        lambda: common.post_all(
            args, lambda: record(rng, args.chaos), common.json_body, "application/json"
        ),
    )


if __name__ == "__main__":
    main()
