"""Where nothing was compiled, each room does its work alone."""

import subprocess
import sys
from datetime import UTC

import pytest

from logopsd import compiled
from logopsd.parsing.lines import LineParser
from logopsd.privacy.detectors import DEFAULT, build
from logopsd.privacy.masking import Masker
from logopsd.records import Frames
from tests.parsing.helpers import batch_at


def test_lines_are_read_and_masked_in_python(monkeypatch):
    """The rooms ask what there is when they are made."""
    monkeypatch.setattr(compiled, "HeaderReader", None)
    monkeypatch.setattr(compiled, "PayloadReader", None)
    monkeypatch.setattr(compiled, "Sieve", None)
    batch = batch_at()
    frames = Frames([b"<13>Oct 11 22:14:15 host app: hi", b'{"msg": "x", "level": "warn"}'])
    LineParser(tz=UTC).parse(frames, None, batch)
    assert [(record.msg, record.level) for record in batch.records] == [
        ("hi", "INFO"),
        ("x", "WARN"),
    ]
    assert Masker(build(DEFAULT)).mask_many(["x", "of jan@example.com"])[0] == {
        1: "of j***@example.com"
    }


@pytest.mark.parametrize(("asked", "answer"), [("1", "False"), ("", "True")])
def test_the_environment_leaves_it_out(asked, answer):
    """As somebody may want who looks for a fault."""
    code = "from logopsd.compiled import IS_COMPILED; print(IS_COMPILED)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"LOGOPSD_PURE_PYTHON": asked, "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == answer
