"""What of files and archives holds a range of time."""

import datetime
import io
import json
import zipfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from logopsd.commands.replay.parts import Part, stored_parts
from logopsd.commands.replay.selection import Found, Selection, select
from logopsd.stored import follow

DAY = datetime.datetime(2026, 11, 23, tzinfo=datetime.UTC)


def text(second: float) -> str:
    """A time of the day."""
    moment = DAY + datetime.timedelta(seconds=second)
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00")


def lines(*seconds: float) -> bytes:
    """Stored lines."""
    records = [{"msg": "x" * 100, "received": f"{text(second)}Z"} for second in seconds]
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def archive(path: Path, name: str, data: bytes) -> None:
    """Write an archive as the sweeper does."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr(name, data)


def names(parts: list[Part]) -> list[str]:
    """The names of the files."""
    return [Path(part.name).name for part in parts]


def test_files_and_archives_by_day_oldest_first(tmp_path: Path) -> None:
    """All pieces of the days asked for, and nothing that is not the sink's."""
    sink, archives = tmp_path / "sink", tmp_path / "archive"
    sink.mkdir()
    archives.mkdir()
    for name in ("20261123", "20261123-1", "20261123-10", "20261123-2", "20261124", "other"):
        (sink / f"{name}.ndjson").write_bytes(lines(0))
    (sink / "20261123.ndjson.torn").write_bytes(b"x")
    for name in (
        "20261121.ndjson",
        "20261122.ndjson",
        "20261122-1.ndjson",
        "20261122-error.ndjson",
    ):
        archive(archives / f"{name}.zip", name, lines(0))
    archive(archives / "20261122.ndjson-2.zip", "20261122.ndjson", lines(1))
    (archives / "20261122.ndjson.zip.part").write_bytes(b"x")

    assert names(stored_parts(sink, archives)) == [
        "20261121.ndjson.zip",
        "20261122.ndjson.zip",
        "20261122.ndjson-2.zip",
        "20261122-1.ndjson.zip",
        "20261123.ndjson",
        "20261123-1.ndjson",
        "20261123-2.ndjson",
        "20261123-10.ndjson",
        "20261124.ndjson",
    ]
    found = stored_parts(sink, archives, since="2026-11-22T10:00:00.000", until=text(60))
    assert names(found)[0] == "20261122.ndjson.zip"
    assert names(found)[-1] == "20261123-10.ndjson"
    assert stored_parts(tmp_path / "none", None) == []
    assert stored_parts(tmp_path / "none", tmp_path / "none") == []


def test_what_is_archived_and_not_yet_removed_is_read_once(tmp_path: Path) -> None:
    """From the file; an archive of other content, or one that is damaged, is read as well."""
    name = "20261123.ndjson"
    (tmp_path / name).write_bytes(lines(1, 2))
    archive(tmp_path / f"{name}.zip", name, lines(1, 2))
    archive(tmp_path / f"{name}-2.zip", name, lines(1, 3))
    archive(tmp_path / f"{name}-3.zip", name, lines(1))
    (tmp_path / f"{name}-4.zip").write_bytes(b"PK")

    found = names(stored_parts(tmp_path, tmp_path))
    assert found == [name, f"{name}-2.zip", f"{name}-3.zip", f"{name}-4.zip"]


def test_a_file_that_cannot_be_opened_is_a_part(tmp_path: Path) -> None:
    """Whoever reads it says what is wrong; the others are read."""
    (tmp_path / "20261123.ndjson").symlink_to(tmp_path / "gone")
    (tmp_path / "20261124.ndjson").write_bytes(lines(1))
    assert names(stored_parts(tmp_path, None)) == ["20261123.ndjson", "20261124.ndjson"]


def test_times_at_the_ends_of_the_calendar() -> None:
    """They are no trouble."""
    ends = {"since": "0001-01-01T00:00:00.000", "until": "9999-12-31T23:59:59.999"}
    assert stored_parts(Path("/nowhere"), None, **ends) == []


@given(
    st.lists(st.integers(0, 86399), max_size=40),
    st.integers(0, 86399),
    st.integers(0, 86399),
    st.integers(0, 50),
)
def test_a_range_of_a_file_holds_all_that_is_wanted(
    seconds: list[int], start: int, stop: int, skew: int
) -> None:
    """Although only a part of it is read, and some lines are out of order by less than a minute."""
    import tempfile

    seconds.sort()
    seconds[1::3] = [max(0, second - skew) for second in seconds[1::3]]
    whole = lines(*seconds)
    selection = Selection(text(start), text(stop))
    chunk, follow.CHUNK_BYTES = follow.CHUNK_BYTES, 64  # type: ignore[misc]
    try:
        with tempfile.TemporaryDirectory() as name:
            (Path(name) / "20261123.ndjson").write_bytes(whole)
            parts = stored_parts(Path(name), None, since=selection.since, until=selection.until)
            read = [line for part in parts for line in part.lines(io.BytesIO())]
            sizes = sum(part.size for part in parts)
    finally:
        follow.CHUNK_BYTES = chunk  # type: ignore[misc]

    expected = list(select(whole.splitlines(keepends=True), selection, Found()))
    assert list(select(read, selection, Found())) == expected
    assert sum(map(len, read)) == sizes
