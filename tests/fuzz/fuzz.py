"""Run the fuzz targets under atheris (libFuzzer), one after the other: `make fuzz`.

What was found to lead further is kept in .cache/fuzz/NAME, and is where the next run begins. An
input that a target fails with is written there as `crash-...` (or `timeout-...`); to see it again:

    python tests/fuzz/fuzz.py --input FILE NAME
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "fuzz"
MAX_BYTES = 2048  # of an input; what takes more to go wrong is found sooner by the property tests
TIMEOUT_SECONDS = 10  # for one input: nothing here may take time in the square of it
MEMORY_MIB = 2048


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="targets; all by default")
    parser.add_argument("--seconds", type=int, default=60, help="for each target (60)")
    parser.add_argument("--input", type=Path, help="run the target named on this file alone")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def fuzz(name: str, seconds: int) -> None:
    """Run one target in this process, which libFuzzer ends."""
    import atheris

    with atheris.instrument_imports(include=["logopsd"]):
        from tests.fuzz.targets import TARGETS

    run, seeds = TARGETS[name]
    corpus = CACHE / name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    options = {
        "max_total_time": seconds,
        "max_len": MAX_BYTES,
        "timeout": TIMEOUT_SECONDS,
        "rss_limit_mb": MEMORY_MIB,
        "dict": Path(__file__).with_name("tokens.dict"),
        "artifact_prefix": f"{corpus}/",
        "verbosity": 0,
        "print_final_stats": 1,
    }
    flags = [f"-{option}={value}" for option, value in options.items()]
    atheris.Setup([name, *flags, str(corpus)], run)
    atheris.Fuzz()


def report(name: str, seconds: int) -> bool:
    """Run one target in a process of its own, and say how it ended; whether it ended well."""
    began = time.monotonic()
    command = [sys.executable, __file__, "--child", "--seconds", str(seconds), name]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    runs = done.stderr.partition("stat::number_of_executed_units:")[2].split("\n")[0].strip()
    ended = "ok" if done.returncode == 0 else "FAILED"
    print(f"{name:16} {ended:6} {runs or '?':>9} runs in {time.monotonic() - began:.0f} s")
    if done.returncode:
        print(done.stdout[-4000:], done.stderr[-4000:], sep="\n")
    return done.returncode == 0


def main() -> int:
    """Run what was asked for; the exit status."""
    asked = arguments()
    from tests.fuzz.targets import TARGETS

    if unknown := set(asked.names) - set(TARGETS):
        print(f"no target {', '.join(sorted(unknown))}; there are {', '.join(TARGETS)}")
        return 2
    if asked.input is not None:
        for name in asked.names:
            TARGETS[name].run(asked.input.read_bytes())
        return 0
    names: Sequence[str] = asked.names or list(TARGETS)
    ended_well = [report(name, asked.seconds) for name in names]
    return 0 if all(ended_well) else 1


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    if "--child" in sys.argv:  # nothing of ours is imported yet, and atheris will see it
        child = arguments()
        fuzz(child.names[0], child.seconds)
    sys.exit(main())
