"""Files as targets."""

import io
from pathlib import Path

import pytest

from logopsd.commands.replay.targets import FileTarget, NoTarget, new_file


def test_a_new_file_gets_the_lines(tmp_path: Path) -> None:
    """With the rights of the sink's files, and never in the place of another."""
    path = tmp_path / "out.ndjson"
    target = new_file(path)
    target.send([b"1\n", b"2\n"])
    target.send([b"3\n"])
    target.close()

    assert path.read_bytes() == b"1\n2\n3\n"
    assert path.stat().st_mode & 0o777 & ~0o640 == 0
    assert target.sent.taken == 3
    with pytest.raises(FileExistsError):
        new_file(path)
    assert path.read_bytes() == b"1\n2\n3\n"


def test_standard_output_stays_open() -> None:
    """It is flushed, and not ours to close."""
    out = io.BytesIO()
    target = FileTarget(out)
    target.send([b"1\n"])
    target.close()
    assert out.getvalue() == b"1\n"


def test_a_dry_run_has_no_target() -> None:
    """Nothing is taken."""
    target = NoTarget()
    target.send([b"1\n"])
    target.close()
    assert target.sent.taken == 0
