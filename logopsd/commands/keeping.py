"""Is what the daemon keeps in order: keys, certificates, the clock, the directory, the room."""

import datetime
import fcntl
import os
import resource
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Final

from logopsd.assembly.limits import RESERVED, worker_count
from logopsd.commands.findings import Finding, ok, problem, warning
from logopsd.commands.ports import Running
from logopsd.config import Settings
from logopsd.errors import LogopsError, SettingsError
from logopsd.sinks.rotation import Piece
from logopsd.stored.follow import backwards, by_writer, path_of, pieces
from logopsd.stored.lines import read

DAY: Final = 86400
CERTIFICATE_DAYS: Final = 21
"""A certificate that ends sooner should have been renewed: most are, 30 days before."""

CLOCK_SECONDS: Final = 60
"""A clock that was set back by less is no trouble."""

LOOKED_AT: Final = 200
"""Newest lines in which a token is looked for."""

Statvfs = Callable[[Path], os.statvfs_result]


def check_key(settings: Settings) -> Iterator[Finding]:
    """Is there a key where one is needed, and does it open the newest token that is stored."""
    if not settings.keys:
        yield ok("key", "none, and none is needed: encryption is off")
        return
    token = _newest_token(settings.sink_dir)
    if token is None:
        yield ok("key", f"valid ({len(settings.keys)}); no stored token to try it on")
        return
    from logopsd.assembly.privacy import openers

    try:
        openers(settings).tokens.decrypt(token)
    except LogopsError:
        yield problem(
            "key",
            "it does not open the newest token that is stored",
            "put the former key into LOGOPS_SECRET_KEYS_OLD (or behind the first line of "
            "LOGOPS_SECRET_KEY_FILE), or logopsd rekey the files with both set",
        )
    else:
        yield ok("key", "valid, and it opens the newest token that is stored")


def _newest_token(directory: Path) -> str | None:
    newest = [piece for of_one in by_writer(pieces(directory)).values() for piece in of_one[-2:]]
    for piece in sorted(newest, reverse=True):
        with suppress(OSError), path_of(directory, piece).open("rb") as file:
            for _, line in zip(range(LOOKED_AT), backwards(file, _size(file.name)), strict=False):
                record = read(line)
                token = next((v for k, v in record.items() if k.endswith("_enc")), None)
                if isinstance(token, str):
                    return token
    return None


def check_certificates(settings: Settings, now: float) -> Iterator[Finding]:
    """Do certificate and key belong together, is the chain one, and how long is it good."""
    from logopsd.assembly.tls import tls_files
    from logopsd.listeners.tls import load

    try:
        files = tls_files(settings)
        if files is None:
            return
        loaded = load(files)
    except SettingsError as error:
        for each in error.problems:
            text, _, mend = each.rpartition("; ")
            yield problem("certificate", text or each, mend or "name other files")
        return
    left = (loaded.expires - now) / DAY
    mend = f"renew {files.cert}; the daemon takes the new one by itself"
    if left < 0:
        yield problem("certificate", f"{files.cert} expired {-left:.0f} days ago", mend)
    elif left < CERTIFICATE_DAYS:
        yield warning("certificate", f"{files.cert} is good for {left:.0f} days more", mend)
    elif broken := _broken_chain(files.cert):
        yield problem(
            "certificate", broken, f"put into {files.cert} the server's own first, its issuers next"
        )
    else:
        yield ok("certificate", f"its key and chain fit, {left:.0f} days left")


def _broken_chain(path: Path) -> str:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature

    chain = x509.load_pem_x509_certificates(path.read_bytes())
    for number, (one, issuer) in enumerate(pairwise(chain), start=1):
        try:
            one.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature):
            return f"certificate {number} of {path} is not issued by the one behind it"
    return ""


def check_clock(directory: Path, now: float) -> Iterator[Finding]:
    """Is the clock behind what was written already."""
    there = pieces(directory)
    today = datetime.datetime.fromtimestamp(now, datetime.UTC)
    mend = "set the clock, and have it kept: timedatectl set-ntp true"
    if today.year < 2026:
        yield problem("clock", f"it says {today:%Y-%m-%d}, before this program was made", mend)
    elif there and there[-1].day > f"{today:%Y%m%d}":
        name = path_of(directory, there[-1]).name
        yield problem("clock", f"it says {today:%Y-%m-%d %H:%M} UTC, and {name} is there", mend)
    elif there and (ahead := _mtime(directory, there[-1]) - now) > CLOCK_SECONDS:
        yield problem("clock", f"the newest file was written {ahead:.0f} s from now", mend)
    else:
        yield ok("clock", f"{today:%Y-%m-%d %H:%M:%S} UTC, not behind the newest file")


def check_room(settings: Settings, now: float, statvfs: Statvfs = os.statvfs) -> Iterator[Finding]:
    """Is there room for what retention keeps, at today's rate."""
    if not settings.sink_file:
        return
    directory = settings.sink_dir
    there = next(each for each in (directory, *directory.parents) if each.exists())
    figures = statvfs(there)
    free = figures.f_bavail * figures.f_frsize
    limit = settings.min_free_bytes
    mend = "free some, enlarge it, lower LOGOPS_RETENTION_DAYS, or set LOGOPS_RETENTION_MAX_BYTES"
    stored, daily = _stored(directory, now)
    if free <= limit:
        text = f"{_size_text(free)} free: the daemon writes nothing below {_size_text(limit)}"
        yield problem("free space", text, f"{mend}; then logopsd housekeep")
        return
    if figures.f_files and not figures.f_favail:
        yield problem("free space", "no inodes are left", "remove files, many small ones first")
        return
    wanted = daily * settings.retention_days
    if settings.retention_max_bytes:
        wanted = min(wanted, settings.retention_max_bytes)
    text = f"{_size_text(free)} free, {_size_text(stored)} stored, {_size_text(daily)} a day"
    if wanted - stored <= free - limit:
        yield ok("free space", f"{text}: enough for {settings.retention_days} days")
        return
    days = (free - limit) / daily
    text += f": full in {days:.1f} days, {settings.retention_days} are to be kept"
    yield (problem if days < 1 else warning)("free space", text, mend)


def _stored(directory: Path, now: float) -> tuple[int, int]:
    """Bytes there are, and how many a day: by today's so far, or yesterday's where it is young."""
    today = datetime.datetime.fromtimestamp(now, datetime.UTC)
    sizes: dict[str, int] = {}
    for folder in (directory, directory / "split"):
        with suppress(OSError):
            for path in folder.glob("*.ndjson"):
                sizes[path.name[:8]] = sizes.get(path.name[:8], 0) + _size(path)
    passed = now % DAY
    daily = int(sizes.get(f"{today:%Y%m%d}", 0) * DAY / max(passed, 3600))
    if passed < 6 * 3600:
        yesterday = today - datetime.timedelta(days=1)
        daily = max(daily, sizes.get(f"{yesterday:%Y%m%d}", 0))
    return sum(sizes.values()), daily


def check_directory(settings: Settings, running: Running) -> Iterator[Finding]:
    """May we write there, and does another daemon."""
    if not settings.sink_file:
        yield warning("directory", "no files are written", "set LOGOPS_SINK_FILE=true")
        return
    directory = settings.sink_dir
    there = next(each for each in (directory, *directory.parents) if os.path.lexists(each))
    if not there.is_dir():
        mend = "choose another LOGOPS_SINK_DIR"
        yield problem("directory", f"{there} is not a directory", mend)
    elif not os.access(there, os.R_OK | os.W_OK | os.X_OK):
        mend = (
            "run the doctor as the daemon's user, mend the permissions, or change LOGOPS_SINK_DIR"
        )
        yield problem("directory", f"{there} is not writable", mend)
    elif there != directory:
        yield ok("directory", f"{directory} can be made")
    elif running is None and (owner := _lock_owner(directory)):
        yield problem(
            "directory",
            f"{directory} is locked by process {owner}, which does not answer on the side port",
            f"if it is a daemon with other settings, give one of the two another LOGOPS_SINK_DIR; "
            f"if it hangs, end it: kill {owner}",
        )
    else:
        yield ok("directory", f"{directory} is writable")


def _lock_owner(directory: Path) -> str:
    """The process that has the lock, `?` where it does not say; empty where it is free."""
    with suppress(FileNotFoundError), (directory / ".lock").open("rb") as file:
        try:
            # For some microseconds, and shared: two doctors do not disturb each other.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            text = file.read(20).strip().decode("ascii", "replace")
            return text if text.isdigit() else "?"
    return ""


def check_descriptors(settings: Settings, running: Running) -> Iterator[Finding]:
    """Are there descriptors for as many connections as the settings allow."""
    of = "this session's limit"
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if running is not None and "max_files" in running["process"]:
        of, limit = "the running daemon's limit", running["process"]["max_files"]
    if limit == resource.RLIM_INFINITY:
        yield ok("descriptors", "no limit")
        return
    workers = worker_count(settings.workers)
    wanted = -(-settings.max_connections // workers) + RESERVED
    text = f"{limit} ({of}), {wanted} wanted for LOGOPS_MAX_CONNECTIONS"
    if workers > 1:
        text += f" by each of {workers} workers"
    if limit < wanted:
        mend = f"LimitNOFILE={wanted} in the unit, or ulimit -n {wanted}"
        yield warning("descriptors", text, mend)
    else:
        yield ok("descriptors", text)


def _size(path: Path | str) -> int:
    return os.stat(path).st_size


def _mtime(directory: Path, piece: Piece) -> float:
    try:
        return path_of(directory, piece).stat().st_mtime
    except OSError:
        return 0.0


def _size_text(count: int) -> str:
    amount = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1000:
            return f"{amount:.3g} {unit}"
        amount /= 1024
    return f"{amount:.3g} TiB"
