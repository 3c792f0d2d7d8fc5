"""`logopsd housekeep`: one round of retention, by hand."""

import argparse
import datetime
import json
import sys
from collections.abc import Iterator
from typing import Any

from logopsd.chores.housekeeping import rounds
from logopsd.commands.exit_status import FAILURE, OK
from logopsd.commands.progress import ProgressBar
from logopsd.commands.terminal import complain
from logopsd.config import Settings
from logopsd.retention.sweeper import SweepReport


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Do a round, or say what it would do; returns the exit status."""
    if not settings.sink_dir.is_dir():
        # No failure: a timer may come before the first record.
        complain(
            f"{settings.sink_dir} is not there: nothing was stored yet, or LOGOPS_SINK_DIR is wrong"
        )
    today = datetime.datetime.now(datetime.UTC).date()
    bar = ProgressBar(sys.stderr, "archiving")
    try:
        report = rounds(settings).sweep(today=today, dry_run=args.dry_run, progress=bar)
    finally:
        bar.close()
    if args.json:
        sys.stdout.write(json.dumps(summary(report), indent=2) + "\n")
    else:
        sys.stdout.write("".join(f"{line}\n" for line in lines(report)))
    return FAILURE if report.failed else OK


def summary(report: SweepReport) -> dict[str, Any]:
    """Return what a round did, or would do, as values for JSON."""
    return {
        "dry_run": report.dry_run,
        "deleted": [str(path) for path in report.deleted],
        "archived": [{"file": str(path), "to": str(to)} for path, to in report.archived],
        "held": [str(path) for path in report.held],
        "waiting": [str(path) for path in report.waiting],
        "unshipped": [{"file": str(path), "bytes": size} for path, size in report.unshipped],
        "failed": [{"file": str(path), "reason": reason} for path, reason in report.failed],
        "kept": report.kept,
        "freed_bytes": None if report.dry_run else report.freed,
        "stopped": report.stopped,
    }


def lines(report: SweepReport) -> Iterator[str]:
    """Return the same for people: a line a file, and a summary."""
    delete, archive = (
        ("would delete", "would archive") if report.dry_run else ("deleted", "archived")
    )
    for path in report.deleted:
        yield f"{delete} {path}"
    for path, target in report.archived:
        yield f"{archive} {path} -> {target}"
    for path in report.held:
        yield f"held {path} (the clock seems to have leapt ahead)"
    for path in report.waiting:
        yield f"waiting {path} (not shipped yet)"
    for path, size in report.unshipped:
        yield f"{size} bytes of {path} were not shipped: there is no room for them"
    for path, reason in report.failed:
        yield f"failed {path}: {reason}"
    if report.stopped:
        yield "stopped before the end; the next round does the rest"
    yield (
        f"{delete} {len(report.deleted)}, {archive} {len(report.archived)}, "
        f"kept {report.kept}, failed {len(report.failed)}"
        # An archive may be larger than a small source; what a dry run would free nobody knows.
        + ("" if report.dry_run else f"; {max(report.freed, 0)} bytes freed")
    )
