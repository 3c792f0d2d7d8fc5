"""What was seen of journals, over a restart."""

from pathlib import Path

import pytest

from logopsd.chores import seen_file
from logopsd.parsing.cursors import SeenCursors
from tests.listeners.http.helpers import Recorder
from tests.parsing.test_cursors import cursor


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    """A new daemon knows what the old one had seen."""
    log = Recorder()
    seen = SeenCursors()
    seen.add(cursor(7))
    seen_file.save(seen, tmp_path, log.logger)
    again = SeenCursors()
    seen_file.load(again, tmp_path, log.logger)
    assert cursor(7) in again
    assert cursor(8) not in again
    assert [path.name for path in tmp_path.iterdir()] == [seen_file.NAME]
    assert log.events == []


def test_without_journals_there_is_no_file(tmp_path: Path) -> None:
    """And none to read."""
    log = Recorder()
    seen_file.save(SeenCursors(), tmp_path, log.logger)
    assert list(tmp_path.iterdir()) == []
    seen_file.load(SeenCursors(), tmp_path, log.logger)
    assert log.events == []


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"s=a;b=b": 7}', '{"s=a;b=b": [[1]]}', '{"s=a;b=b": [["x", 2]]}', "[" * 9999],
)
def test_a_file_that_is_none_of_ours_is_said(tmp_path: Path, text: str) -> None:
    """The daemon starts without it."""
    (tmp_path / seen_file.NAME).write_text(text)
    log = Recorder()
    seen = SeenCursors()
    seen_file.load(seen, tmp_path, log.logger)
    assert not seen
    assert [event["event"] for event in log.events] == ["journal state not read"]


def test_a_disk_that_fails_is_said(tmp_path: Path) -> None:
    """What was seen is not kept; nothing else is lost."""
    log = Recorder()
    seen = SeenCursors()
    seen.add(cursor(7))
    seen_file.save(seen, tmp_path / "nowhere", log.logger)
    assert [event["event"] for event in log.events] == ["journal state not kept"]
