from hypothesis import given
from hypothesis import strategies as st

from logopsd.encoding import encode
from logopsd.records import INPUTS, LEVELS, Receipt, Record
from logopsd.sinks.contract import Batch
from logopsd.sinks.rotation import parse_piece, piece_name
from logopsd.sinks.split import by_input, by_level

TS = "2026-11-23T12:00:00Z"


@given(st.lists(st.tuples(st.sampled_from(LEVELS), st.text(max_size=20)), min_size=1))
def test_levels_are_told_apart_as_the_encoder_writes_them(rows: list[tuple[str, str]]) -> None:
    """Each line is in the file of its level, whole and in order, whatever its message says."""
    records = [Record(TS, level, text + '"level":"DEBUG"') for level, text in rows]
    data = encode(records)
    spread = dict(by_level(Batch(data, "20261123", Receipt("tcp", len(rows)))))
    for level in LEVELS:
        lines = [encode([record]) for record in records if record.level == level]
        assert spread.pop(f"20261123-{level.lower()}", b"") == b"".join(lines)
    assert spread == {}


def test_a_line_without_a_known_level_goes_to_info() -> None:
    """Nothing is dropped for want of a label."""
    data = b'{"ts":"x","level":"LOUD"}\n{"a":1}\n'
    assert by_level(Batch(data, "20261123", Receipt("tcp", 2))) == [("20261123-info", data)]


def test_every_label_makes_a_name_of_ours() -> None:
    """All stems are names that a restart and the retention find again."""
    labels = {level.lower() for level in LEVELS} | set(INPUTS)
    for name in INPUTS:
        ((stem, _),) = by_input(Batch(b"x\n", "20261123", Receipt(name, 1)))
        assert stem == f"20261123-{name}"
    for label in labels:
        piece = parse_piece(piece_name(f"20261123-{label}", 2))
        assert piece == (f"20261123-{label}", 2)
