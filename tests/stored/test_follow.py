"""The files are followed as the sink writes them."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logopsd.sinks.rotation import Piece
from logopsd.stored import follow
from logopsd.stored.follow import Follower, Followers, backwards, offset_of, path_of, pieces


def append(directory: Path, name: str, data: bytes) -> None:
    """Write to the end of a file."""
    with (directory / name).open("ab") as file:
        file.write(data)


def test_pieces_are_in_order_and_ours_alone(tmp_path: Path) -> None:
    """By day and number, not by name; split files, torn ends and strangers are left out."""
    names = ["20261124", "20261123-10", "20261123-2", "20261123", "20261123-error", "notes"]
    for name in names:
        append(tmp_path, f"{name}.ndjson", b"")
    append(tmp_path, "20261123.ndjson.torn", b"")
    found = [path_of(tmp_path, piece).stem for piece in pieces(tmp_path)]
    assert found == ["20261123", "20261123-2", "20261123-10", "20261124"]
    assert pieces(tmp_path / "missing") == []


def test_it_goes_over_midnight_and_pieces(tmp_path: Path) -> None:
    """Each line once, in order, whichever file it is in; older days are passed over."""
    append(tmp_path, "20261122.ndjson", b"old\n")
    follower = Follower(tmp_path, "20261123")
    assert list(follower.poll()) == []
    append(tmp_path, "20261123.ndjson", b"1\n2\n")
    assert list(follower.poll()) == [b"1", b"2"]
    append(tmp_path, "20261123.ndjson", b"3\n")
    append(tmp_path, "20261123-2.ndjson", b"5\n")
    append(tmp_path, "20261123-1.ndjson", b"4\n")
    append(tmp_path, "20261124.ndjson", b"6\n")
    assert list(follower.poll()) == [b"3", b"4", b"5", b"6"]
    assert list(follower.poll()) == []
    follower.close()


def test_a_line_is_shown_when_it_is_whole(tmp_path: Path) -> None:
    """Half a line waits for the other half."""
    append(tmp_path, "20261123.ndjson", b"on")
    follower = Follower(tmp_path, "20261123")
    assert list(follower.poll()) == []
    append(tmp_path, "20261123.ndjson", b"e\nt")
    assert list(follower.poll()) == [b"one"]
    follower.close()


def test_a_file_that_was_moved_or_cut_is_begun_anew(tmp_path: Path) -> None:
    """As logrotate does it, with `create` and with `copytruncate`; the old is read to its end."""
    name = "20261123.ndjson"
    append(tmp_path, name, b"1\n")
    follower = Follower(tmp_path, "20261123")
    assert list(follower.poll()) == [b"1"]
    append(tmp_path, name, b"2\n")
    (tmp_path / name).rename(tmp_path / "moved")
    append(tmp_path, name, b"3\n")
    assert list(follower.poll()) == [b"2", b"3"]
    (tmp_path / name).write_bytes(b"")
    assert list(follower.poll()) == []
    append(tmp_path, name, b"4\n")
    assert list(follower.poll()) == [b"4"]
    follower.close()


def test_an_endless_line_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not held, and the next line is shown."""
    monkeypatch.setattr(follow, "CHUNK_BYTES", 8)
    monkeypatch.setattr(follow, "MAX_LINE_BYTES", 20)
    append(tmp_path, "20261123.ndjson", b"a\n" + b"x" * 100 + b"\nb\n")
    follower = Follower(tmp_path, "20261123")
    assert list(follower.poll()) == [b"a", b"b"]
    follower.close()
    with (tmp_path / "20261123.ndjson").open("rb") as file:
        found = list(backwards(file, 105))
    assert (found[0], found[-1]) == (b"b", b"a")
    assert all(len(line) <= 28 for line in found)


@settings(deadline=None)
@given(
    st.lists(st.binary(max_size=12).map(lambda line: line.replace(b"\n", b"")), max_size=20),
    st.binary(max_size=5).map(lambda line: line.replace(b"\n", b"")),
    st.integers(1, 9),
)
def test_backwards_is_forwards_turned_round(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], rest: bytes, chunk: int
) -> None:
    """Whatever the lines and the reads are; what has no end is no line."""
    path = tmp_path_factory.getbasetemp() / "backwards"
    data = b"".join(line + b"\n" for line in lines) + rest
    path.write_bytes(data)
    with pytest.MonkeyPatch.context() as patch, path.open("rb") as file:
        patch.setattr(follow, "CHUNK_BYTES", chunk)
        assert list(backwards(file, len(data))) == [line for line in reversed(lines) if line]


@settings(deadline=None)
@given(st.lists(st.integers(0, 50), max_size=60), st.integers(0, 51), st.integers(1, 40))
def test_the_first_line_of_a_time_is_found(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[int], start: int, chunk: int
) -> None:
    """By halving, as reading all would find it."""
    numbers.sort()
    path = tmp_path_factory.getbasetemp() / "halving"
    path.write_bytes(b"".join(b"%02d\n" % number for number in numbers))
    with pytest.MonkeyPatch.context() as patch, path.open("rb") as file:
        patch.setattr(follow, "CHUNK_BYTES", chunk)
        found = offset_of(file, f"{start:02d}", len(numbers) * 3, lambda line: line[:2].decode())
    assert found == 3 * sum(number < start for number in numbers)


def test_a_file_that_is_gone_is_no_error(tmp_path: Path) -> None:
    """Retention may take it at any moment."""
    follower = Follower(tmp_path, "20261123")
    follower.begin(Piece("20261123", 0), 7)
    assert list(follower.poll()) == []
    follower.close()


def test_several_writers_are_followed_at_once(tmp_path: Path) -> None:
    """Each over its own pieces and days; what came between two looks is brought in order."""
    followers = Followers(tmp_path, "20261123", bytes.decode)
    assert list(followers.poll()) == []
    append(tmp_path, "20261122-w1.ndjson", b"old\n")
    append(tmp_path, "20261123-w1.ndjson", b"1\n4\n")
    append(tmp_path, "20261123-w2.ndjson", b"2\n3\n")
    append(tmp_path, "20261123-w2-1.ndjson", b"5\n")
    append(tmp_path, "20261123-error-w2.ndjson", b"split\n")
    assert list(followers.poll()) == [b"1", b"2", b"3", b"4", b"5"]
    append(tmp_path, "20261124-w2.ndjson", b"7\n")
    append(tmp_path, "20261123-w1.ndjson", b"6\n")
    append(tmp_path, "20261124.ndjson", b"8\n")
    assert list(followers.poll()) == [b"6", b"7", b"8"]
    assert list(followers.poll()) == []
    followers.close()
