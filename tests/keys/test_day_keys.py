"""The days' keys in files: made durably, kept ready, and gone with their files."""

import datetime
import os
import stat
from pathlib import Path

import pytest

from logopsd.errors import PrivacyError, TokenError
from logopsd.keys.day_keys import DayKeys
from logopsd.keys.files import DayKeyFiles, DayKeySweeper
from logopsd.privacy.daykeys import day_of
from logopsd.privacy.tokens import TokenMaker, new_key
from logopsd.retention.sweeper import SweepReport

NOON = 1_795_435_200.0
TODAY = datetime.datetime.fromtimestamp(NOON, datetime.UTC).date()
DAY = day_of(NOON)
A, B = new_key(os.urandom), new_key(os.urandom)


def keys(directory: Path, *primary: str) -> DayKeys:
    """The day keys of a folder under these primary keys."""
    maker = TokenMaker(primary or (A,), random_bytes=os.urandom)
    return DayKeys(DayKeyFiles(directory / "keys"), maker, clock=lambda: NOON)


def file_of(directory: Path, day: str = DAY) -> Path:
    """Where the key of a day is."""
    return directory / "keys" / f"{day}.key"


def test_the_key_is_stored_before_the_first_token(tmp_path: Path) -> None:
    """Readable by the owner alone, with nothing unfinished beside it; another reader opens it."""
    (token,) = keys(tmp_path).tokens.encrypt_many(["secret"], NOON)

    assert [path.name for path in (tmp_path / "keys").iterdir()] == [f"{DAY}.key"]
    assert stat.S_IMODE(file_of(tmp_path).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    assert keys(tmp_path).tokens.decrypt(token) == "secret"
    with pytest.raises(TokenError):
        TokenMaker([A], random_bytes=os.urandom).decrypt(token)


def test_two_processes_take_one_key(tmp_path: Path) -> None:
    """Who comes second takes the key that stands there."""
    one, other = keys(tmp_path), keys(tmp_path)
    (token,) = one.tokens.encrypt_many(["x"], NOON)

    assert other.tokens.decrypt(token) == "x"
    assert not DayKeyFiles(tmp_path / "keys").create(DAY, b"another")
    assert other.tokens.decrypt(other.tokens.encrypt_many(["y"], NOON)[0]) == "y"


def test_no_token_without_a_stored_key(tmp_path: Path) -> None:
    """A folder that cannot be made raises, and nothing was encrypted."""
    (tmp_path / "keys").write_text("no folder")

    with pytest.raises(NotADirectoryError):
        keys(tmp_path).tokens.encrypt_many(["x"], NOON)
    with pytest.raises(PrivacyError, match="LOGOPS_KEY_DIR"):
        keys(tmp_path).keep(NOON)


def test_a_deleted_key_makes_its_tokens_unreadable(tmp_path: Path) -> None:
    """For any reader, and also for the daemon once a new day has come."""
    made = keys(tmp_path)
    (token,) = made.tokens.encrypt_many(["x"], NOON)
    file_of(tmp_path).unlink()

    with pytest.raises(TokenError):
        keys(tmp_path).tokens.decrypt(token)
    made.keep(NOON + 86400)
    with pytest.raises(TokenError):
        made.tokens.decrypt(token)


def test_todays_key_is_made_anew_where_it_was_deleted(tmp_path: Path) -> None:
    """Tokens from then on can be read; those from before cannot."""
    made = keys(tmp_path)
    (before,) = made.tokens.encrypt_many(["x"], NOON)
    file_of(tmp_path).unlink()
    made.keep(NOON)
    (after,) = made.tokens.encrypt_many(["y"], NOON)

    assert keys(tmp_path).tokens.decrypt(after) == "y"
    with pytest.raises(TokenError):
        keys(tmp_path).tokens.decrypt(before)


def test_the_next_days_key_is_made_ahead(tmp_path: Path) -> None:
    """An hour before midnight it is there, and no sooner."""
    made = keys(tmp_path)
    made.keep(NOON)
    assert DayKeyFiles(tmp_path / "keys").days() == [DAY]
    made.keep(NOON + 11.5 * 3600)
    assert DayKeyFiles(tmp_path / "keys").days() == [DAY, day_of(NOON + 86400)]


def test_a_rotation_wraps_the_keys_anew(tmp_path: Path) -> None:
    """Tokens of the day stay; those of the primary move; what neither opens is told."""
    (of_day,) = keys(tmp_path).tokens.encrypt_many(["x"], NOON)
    of_primary = TokenMaker([A], random_bytes=os.urandom).encrypt_one("y", NOON)
    with pytest.raises(PrivacyError, match="LOGOPS_SECRET_KEYS_OLD"):
        keys(tmp_path, B).keep(NOON)
    assert keys(tmp_path, B).rewrap() == (0, [DAY])

    both = keys(tmp_path, B, A)
    both.keep(NOON)
    assert both.rewrap() == (1, [])
    assert both.rewrap() == (0, [])
    assert both.rotate(of_day) == of_day
    alone = keys(tmp_path, B)
    assert alone.tokens.decrypt(of_day) == "x"
    assert alone.tokens.decrypt(both.rotate(of_primary)) == "y"
    with pytest.raises(TokenError):
        alone.rotate(of_primary)
    assert stat.S_IMODE(file_of(tmp_path).stat().st_mode) == 0o600


def test_nothing_shows_a_key(tmp_path: Path) -> None:
    """Not even the object's own text."""
    made = keys(tmp_path)
    made.keep(NOON)
    assert "hidden" in repr(made)
    assert A not in repr(vars(made)["tokens"])


def swept(
    directory: Path, *, days: int | None, deleted: tuple[str, ...] = (), dry_run: bool = False
) -> list[str]:
    """Sweep the keys after a round that deleted files, and name those that went."""
    sink = directory / "ingest"
    report = SweepReport(deleted=[sink / name for name in deleted], dry_run=dry_run)
    files = DayKeyFiles(directory / "keys")
    DayKeySweeper(files, days=days, folders=[sink, directory / "archive"]).sweep(
        report, today=TODAY
    )
    assert not report.failed
    return [path.name for path in report.deleted if path.suffix == ".key"]


def some_keys(directory: Path, *ages: int) -> list[str]:
    """Make keys of so many days ago, and the names of their days."""
    names = []
    for age in ages:
        names.append(day := day_of(NOON - age * 86400))
        DayKeyFiles(directory / "keys").create(day, b"x")
        os.utime(file_of(directory, day), (NOON - age * 86400, NOON - age * 86400))
    return names


def test_a_key_goes_by_its_age(tmp_path: Path) -> None:
    """One that is too old goes, unless a file or an archive of its day is left."""
    old, archived, kept, young, _ = some_keys(tmp_path, 12, 11, 13, 10, 0)
    for name in (f"ingest/{kept}-1.ndjson", f"archive/{archived}.ndjson.zip"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")

    assert swept(tmp_path, days=10, dry_run=True) == [f"{old}.key"]
    assert swept(tmp_path, days=10) == [f"{old}.key"]
    assert DayKeyFiles(tmp_path / "keys").days() == sorted([archived, kept, young, DAY])
    assert swept(tmp_path, days=None) == []


def test_a_key_goes_with_the_last_file_of_its_day(tmp_path: Path) -> None:
    """However young: the folder may have been too large. Today's stays."""
    gone, left, today = some_keys(tmp_path, 2, 1, 0)
    (tmp_path / "ingest").mkdir()
    (tmp_path / "ingest" / f"{left}-1.ndjson").write_text("")
    deleted = (f"{gone}.ndjson", f"{left}.ndjson", f"{today}.ndjson")

    assert swept(tmp_path, days=10, deleted=deleted) == [f"{gone}.key"]


def test_what_is_unsure_stays(tmp_path: Path) -> None:
    """A folder that cannot be read, a round cut short, a clock that leapt, names of others."""
    some_keys(tmp_path, 800, 799, 798)
    (tmp_path / "keys" / "20260231.key").write_text("")
    (tmp_path / "keys" / "note").write_text("")
    assert swept(tmp_path, days=10) == []

    (tmp_path / "ingest").write_text("no folder")
    report = SweepReport()
    sweeper = DayKeySweeper(DayKeyFiles(tmp_path / "keys"), days=10, folders=[tmp_path / "ingest"])
    sweeper.sweep(report, today=TODAY)
    assert report.deleted == []
    assert report.failed
    sweeper.sweep(stopped := SweepReport(stopped=True), today=TODAY)
    assert stopped == SweepReport(stopped=True)
