"""`logopsd decrypt` and `logopsd rekey`, as they stand on the command line."""

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import asdict

from logopsd.assembly.privacy import openers
from logopsd.commands.audit import Audit
from logopsd.commands.decrypt import Revealed, decrypt_file
from logopsd.commands.exit_status import FAILURE, OK, UNOPENED
from logopsd.commands.progress import ProgressBar
from logopsd.commands.rekey import rekey_files
from logopsd.commands.stored import STDIN, size_of
from logopsd.commands.terminal import complain
from logopsd.config import Settings


def decrypt(args: argparse.Namespace, settings: Settings) -> int:
    """Print the lines of files with their originals; returns the exit status.

    Raises:
        OSError: a file cannot be read, or nobody reads on.
        LogopsError: a file is no archive that can be read.
    """
    opener = openers(settings).tokens.decrypt
    audit = Audit("decrypt", sys.stderr, os.environ)
    done = Revealed()
    bar = ProgressBar(sys.stderr, "decrypting")
    audit.began(args.files)
    # A bar would be in the way of lines on the same terminal, and the end of a pipe is not known.
    tell = None
    if not sys.stdout.isatty() and STDIN not in args.files:
        tell = _part_of(sum(map(_size_of, args.files)), bar)
    try:
        for name in args.files:
            decrypt_file(
                name,
                sys.stdin.buffer,
                sys.stdout.buffer,
                done,
                opener,
                fields=args.fields,
                grep=args.grep,
                tell=tell,
            )
        sys.stdout.buffer.flush()
    finally:
        bar.close()
        audit.ended(args.files, asdict(done))
    return UNOPENED if done.unopened else OK


def _size_of(name: str) -> int:
    try:
        return size_of(name)
    except OSError:  # told when it is its turn
        return 0


def _part_of(total: int, bar: ProgressBar) -> Callable[[int], None]:
    """Return what adds bytes that are done, and shows what part of all they are."""
    done = 0

    def tell(size: int) -> None:
        nonlocal done
        done += size
        bar(done, total)

    return tell


def rekey(args: argparse.Namespace, settings: Settings) -> int:
    """Move the tokens of files, and the keys of days, under the primary key.

    Returns:
        The exit status.
    """
    keys = openers(settings)
    bar = ProgressBar(sys.stderr, "rekeying")
    try:
        changed, unopened = keys.rewrap()
        report = rekey_files(args.files, keys.rotate, progress=bar)
    finally:
        bar.close()
    lines = [f"kept {settings.key_dir / day}.key: no key at hand opens it" for day in unopened]
    lines += [f"{path}: {done}" for path, done in report.done]
    lines += [f"failed {path}: {reason}" for path, reason in report.failed]
    moved = sum(done.moved for _, done in report.done)
    kept = sum(done.unopened for _, done in report.done) + len(unopened)
    lines.append(f"moved {moved} tokens and {changed} keys of days, kept {kept} that no key opens")
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    if moved:
        complain("who tails these files sees new ones, and may read them once more")
    if report.failed:
        return FAILURE
    return UNOPENED if kept else OK
