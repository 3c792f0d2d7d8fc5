"""The bytes of `.env` become names, values and lines, whatever editor saved them."""

import codecs
from pathlib import Path

import pytest

from logopsd.config.env_file import MAX_FILE_BYTES, MAX_LINE, parse_env, read_env_file

MARKS = {
    "utf-8": codecs.BOM_UTF8,
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE,
    "utf-32-be": codecs.BOM_UTF32_BE,
}


@pytest.mark.parametrize("encoding", MARKS)
def test_byte_order_mark_tells_the_encoding(encoding: str) -> None:
    """Text behind a byte-order mark is read in its encoding, and the mark is no part of a name."""
    found = parse_env(MARKS[encoding] + "LOGOPS_SINK_DIR=/zażółć\r\nB=2\r\n".encode(encoding))

    assert found.problems == []
    assert [(entry.name, entry.value, entry.line) for entry in found.entries] == [
        ("LOGOPS_SINK_DIR", "/zażółć", 1),
        ("B", "2", 2),
    ]


@pytest.mark.parametrize("encoding", MARKS)
def test_undecodable_byte_is_named_by_line(encoding: str) -> None:
    """Bytes that are no text of their encoding are a problem of their line; the rest is read."""
    bad = {"utf-8": b"\xff", "utf-16-le": b"\x00\xdc", "utf-16-be": b"\xdc\x00"}.get(
        encoding, b"\xff\xff\xff\xff"
    )
    text = MARKS[encoding] + "A=1\nB=".encode(encoding) + bad + "\nC=3\n".encode(encoding)
    found = parse_env(text)

    (problem,) = found.problems
    assert problem.startswith("line 2: is not UTF-")
    assert [entry.name for entry in found.entries] == ["A", "B", "C"]


def test_text_is_utf_8_without_a_mark() -> None:
    """No mark means UTF-8."""
    (entry,) = parse_env("A=ł".encode()).entries

    assert entry.value == "ł"


def test_utf_16_without_a_mark_is_refused() -> None:
    """NUL bytes betray it; the mend is to save the file as UTF-8."""
    found = parse_env("A=1\nB=2".encode("utf-16-le"))

    assert found.entries == []
    assert found.problems == ["line 1: holds a NUL byte; save the file as UTF-8"]


def test_blank_lines_comments_quotes_and_export() -> None:
    """Lines are counted through all that python-dotenv passes over."""
    found = parse_env(b"\n\n# c\n\r\nexport A='x\ny' # c\n  \nB = \"q\" \n\rC=z#z #c\n")

    assert [(entry.name, entry.value, entry.line) for entry in found.entries] == [
        ("A", "x\ny", 5),
        ("B", "q", 8),
        ("C", "z#z", 10),
    ]


def test_unreadable_line_is_named_and_the_rest_is_read() -> None:
    """A quote that is not closed costs its line alone."""
    found = parse_env(b"A=1\n\nB='x\nC=3\n")

    assert [entry.name for entry in found.entries] == ["A", "C"]
    assert found.problems == ["line 3: cannot be read; write NAME=value, and close each quote"]


def test_long_file_and_long_line_are_refused() -> None:
    """What is no .env by its size is not parsed."""
    assert "is longer than" in parse_env(b"#" * (MAX_FILE_BYTES + 1)).problems[0]
    long = parse_env(b"A=1\nB=" + b" " * MAX_LINE)
    assert long.problems == [f"line 2: is longer than {MAX_LINE} characters"]


def test_path_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    """A loop of links, a file as a directory, a path with NUL: a problem, no exception."""
    loop = tmp_path / "loop"
    loop.symlink_to(loop)

    assert "cannot be read" in read_env_file(loop).problems[0]
    assert "cannot be read" in read_env_file(Path("x\0y")).problems[0]
    (tmp_path / "file").touch()
    assert "cannot be read" in read_env_file(tmp_path / "file" / ".env").problems[0]
    with pytest.raises(FileNotFoundError):
        read_env_file(tmp_path / "none")
