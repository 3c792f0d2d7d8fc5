import pytest

from logopsd.sinks.rotation import (
    Piece,
    newest_number,
    parse_piece,
    piece_name,
    worker_suffix,
    writer_of,
)


@pytest.mark.parametrize(
    ("name", "piece"),
    [
        ("20261123.ndjson", Piece("20261123", 0)),
        ("20261123-1.ndjson", Piece("20261123", 1)),
        ("20261123-12.ndjson", Piece("20261123", 12)),
        ("20261123-error.ndjson", Piece("20261123-error", 0)),
        ("20261123-error-3.ndjson", Piece("20261123-error", 3)),
        ("20261123-w2.ndjson", Piece("20261123-w2", 0)),
        ("20261123-w64-3.ndjson", Piece("20261123-w64", 3)),
        ("20261123-error-w2.ndjson", Piece("20261123-error-w2", 0)),
        ("20261123-error-w2-3.ndjson", Piece("20261123-error-w2", 3)),
        ("20261123-w0.ndjson", None),
        ("20261123-w02.ndjson", None),
        ("20261123-w2-error.ndjson", None),
        ("20261123-0.ndjson", None),
        ("20261123-01.ndjson", None),
        ("20261123.ndjson.torn", None),
        ("20261123.ndjson.zip", None),
        ("2026112.ndjson", None),
        ("20261123.ndjson\n", None),
        ("٢٠٢٦١١٢٣.ndjson", None),
        (".lock", None),
    ],
)
def test_names_are_told_apart(name: str, piece: Piece | None) -> None:
    """Only what piece_name makes is a piece, and it makes the name again."""
    assert parse_piece(name) == piece
    if piece is not None:
        assert piece_name(*piece) == name


def test_newest_number_is_counted_and_of_the_day_alone() -> None:
    """Ten comes after nine, other days and strangers do not count, and nothing is number 0."""
    names = ["20261123-9.ndjson", "20261123-10.ndjson", "20261122-77.ndjson", "x-99.ndjson"]
    assert newest_number(names, "20261123") == 10
    assert newest_number(names, "20261124") == 0


@pytest.mark.parametrize(
    ("stem", "writer"),
    [
        ("20261123", ""),
        ("20261123-error", ""),
        ("20261123-w2", "-w2"),
        ("20261123-udp-w64", "-w64"),
    ],
)
@pytest.mark.parametrize("number", [0, 7])
def test_the_writer_stands_in_the_name(stem: str, writer: str, number: int) -> None:
    """Of each piece of each stem; one process alone has none."""
    name = piece_name(stem, number)
    assert writer_of(name) == writer
    piece = parse_piece(name)
    assert piece is not None
    assert (piece.day, piece.rest) == ("20261123", stem[8:])
    assert writer_of("notes.txt") is None
    assert writer_of(piece_name("20261123" + worker_suffix(3), number)) == "-w3"
