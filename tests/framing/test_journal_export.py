"""The Journal Export Format, however it is split."""

import struct
from collections.abc import Iterable
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from logopsd.framing import FAULTS
from logopsd.framing.journal_export import (
    MAX_FIELD_BYTES,
    MAX_FIELDS,
    MAX_OTHER_BYTES,
    WHOLE_BYTES,
    Entries,
    JournalExportFramer,
)
from logopsd.records import FieldValue, JournalEntry

MAX_MESSAGE = 256 * 1024


def text(*fields: str) -> bytes:
    """Write an entry of text fields."""
    return "".join(field + "\n" for field in fields).encode() + b"\n"


def binary(name: str, value: bytes, *, length: int | None = None, end: bytes = b"\n") -> bytes:
    """Write a field with its length."""
    size = struct.pack("<Q", len(value) if length is None else length)
    return name.encode() + b"\n" + size + value + end


def feed(pieces: Iterable[bytes], *, max_message: int = MAX_MESSAGE, eof: bool = True) -> Entries:
    """Give a framer a stream in pieces, and its end; all that it found."""
    framer = JournalExportFramer(max_message=max_message)
    entries: list[JournalEntry] = []
    faults: dict[str, int] = {}
    found = [framer.receive_data(piece) for piece in pieces]
    if eof:
        found.append(framer.receive_eof())
    for each in found:
        entries += each.entries
        for reason, count in each.faults.items():
            assert reason in FAULTS
            faults[reason] = faults.get(reason, 0) + count
    return Entries(entries, faults)


def entries_of(stream: bytes, *, max_message: int = MAX_MESSAGE, eof: bool = True) -> Entries:
    """Give a framer a stream whole, byte by byte, and in two halves cut anywhere."""
    whole = feed([stream], max_message=max_message, eof=eof)
    single = (stream[i : i + 1] for i in range(len(stream)))
    assert feed(single, max_message=max_message, eof=eof) == whole
    for i in range(len(stream)):
        assert feed([stream[:i], stream[i:]], max_message=max_message, eof=eof) == whole
    return whole


def fields_of(stream: bytes) -> list[dict[str, FieldValue | list[FieldValue]]]:
    """Return the fields of the entries of a stream without faults."""
    found = entries_of(stream)
    assert found.faults == {}
    return [entry.fields for entry in found.entries]


def test_text_fields() -> None:
    """A field a line, up to the first `=`; the value may be empty, or hold more of them."""
    assert fields_of(text("A=1", "B=", "C=x=y=ü") + text("A=2")) == [
        {"A": "1", "B": "", "C": "x=y=ü"},
        {"A": "2"},
    ]


def test_a_binary_field_holds_anything() -> None:
    """Its length counts, not what is in it: empty lines, `=`, and what looks like an entry."""
    value = b"first\n\nA=2\n\n\x00\x1b[1m"
    stream = text("A=0") + b"A=1\n" + binary("MESSAGE", value) + b"B=1\n\n" + text("A=3")
    assert fields_of(stream) == [
        {"A": "0"},
        {"A": "1", "MESSAGE": value.decode(), "B": "1"},
        {"A": "3"},
    ]


def test_bytes_that_are_no_text_are_kept() -> None:
    """In either form of a field, what is not UTF-8 stays bytes."""
    stream = b"A=\xff\n" + binary("B", b"\xfe\n") + b"C=1\n\n"
    assert fields_of(stream) == [{"A": b"\xff", "B": b"\xfe\n", "C": "1"}]


def test_a_repeated_field_is_a_list() -> None:
    """A program may set a field several times; all values are kept, in order."""
    assert fields_of(text("A=1", "B=2", "A=3", "A=4")) == [{"A": ["1", "3", "4"], "B": "2"}]


def test_more_empty_lines_and_nothing_at_all() -> None:
    """Empty lines before, between and behind make no entries."""
    assert fields_of(b"\n\n" + text("A=1") + b"\n\n\n" + text("A=2") + b"\n") == [
        {"A": "1"},
        {"A": "2"},
    ]
    assert fields_of(b"") == []


def test_the_last_entry_needs_no_empty_line() -> None:
    """Where the stream ends behind a whole field, the entry is complete, with or without LF."""
    for end in ("A=1\nB=2", "A=1\nB=2\n"):
        assert fields_of(end.encode()) == [{"A": "1", "B": "2"}]
    assert fields_of(b"A=1\n" + binary("B", b"2", end=b"")) == [{"A": "1", "B": "2"}]


def test_an_entry_that_breaks_off_inside_a_value_is_left_out() -> None:
    """Where a length was announced and the stream ended before it, the entry is not whole."""
    field = b"A=1\n" + binary("MESSAGE", b"12345")
    whole = len(field)
    for size in range(len(b"A=1\nM"), whole - 1):
        found = feed([text("A=0") + field[:size]])
        assert [entry.fields for entry in found.entries] == [{"A": "0"}]
        assert found.faults == {"entry": 1}
    assert feed([field[: whole - 1]]).faults == {}


def test_nothing_is_told_before_the_end_of_an_entry() -> None:
    """An entry is handed on when its empty line is there, and then at once."""
    framer = JournalExportFramer(max_message=MAX_MESSAGE)
    stream = text("A=1")
    assert framer.receive_data(stream[:-1]).entries == []
    assert framer.receive_data(stream[-1:]).entries == [JournalEntry({"A": "1"})]


BAD = {
    "a name that is none": b"A=1\nno name\nB=2\n\n",
    "a name that is too long": b"A=1\n" + b"N" * 65 + b"\n\n",
    "a name too long, with a value": b"\xffA=1\n" + b"N" * 65 + b"=x\n\n",
    "a length beyond all lengths": b"A=1\n" + binary("B", b"x", length=MAX_FIELD_BYTES + 1) + b"\n",
    "a length that is too short": b"A=1\n" + binary("B", b"12345", length=3) + b"\n",
    "a name, and the end of the entry": b"A=1\nB\n\n",
    "too many fields": b"".join(b"F%d=\xff\n" % n for n in range(MAX_FIELDS + 1)) + b"\n",
}


def test_a_bad_entry_costs_nothing_but_itself() -> None:
    """It is left out and counted; the entries before and behind it are whole."""
    for name, bad in BAD.items():
        read = feed if name == "too many fields" else entries_of
        behind = text("_BOOT_ID=0123456789abcdef", "A=9")
        found = read([text("A=0") + bad + behind] if read is feed else text("A=0") + bad + behind)
        assert [entry.fields.get("A") for entry in found.entries] == ["0", "9"], name
        assert found.faults == {"entry": 1}, name


def test_too_many_text_fields() -> None:
    """The limit holds for an entry that is read in one go, too."""
    fields = [f"F{n}=" for n in range(MAX_FIELDS + 1)]
    assert feed([text(*fields)]).faults == {"entry": 1}
    assert len(feed([text(*fields[1:])]).entries[0].fields) == MAX_FIELDS


def test_a_long_message_is_cut() -> None:
    """The first bytes are kept, and the length that it had; the rest of the entry is whole."""
    for field in (b"MESSAGE=" + b"x" * 50 + b"\n", binary("MESSAGE", b"x" * 50)):
        stream = b"A=1\n" + field + b"B=2\n\n" + text("A=2")
        found = entries_of(stream, max_message=20)
        assert found.entries == [
            JournalEntry({"A": "1", "MESSAGE": "x" * 20, "B": "2"}, message_length=50),
            JournalEntry({"A": "2"}),
        ]
        assert found.faults == {}


def test_a_cut_inside_a_character_is_no_fault_of_the_sender() -> None:
    """The half of a character is cut away too; bytes that are no UTF-8 stay bytes."""
    found = feed([text("MESSAGE=" + "ü" * 20)], max_message=11)
    assert found.entries == [JournalEntry({"MESSAGE": "ü" * 5}, message_length=40)]
    found = feed([b"MESSAGE=\xff" + b"x" * 20 + b"\n\n"], max_message=11)
    assert found.entries == [JournalEntry({"MESSAGE": b"\xff" + b"x" * 10}, message_length=21)]


def test_a_whole_message_that_ends_inside_a_character() -> None:
    """Half a character that the sender wrote is not text, and not thrown away."""
    assert fields_of(b"MESSAGE=\xc3\n\n") == [{"MESSAGE": b"\xc3"}]


def test_a_field_beyond_the_room_is_left_out() -> None:
    """A core dump is not kept; which field it was is said, and the others are whole."""
    dump = b"\0" * (MAX_OTHER_BYTES + 1)
    stream = b"A=1\n" + binary("COREDUMP", dump) + b"MESSAGE=crash\nB=2\n\n" + text("A=2")
    for size in (len(stream), 4096):
        found = feed(stream[i : i + size] for i in range(0, len(stream), size))
        assert found.entries == [
            JournalEntry({"A": "1", "MESSAGE": "crash", "B": "2"}, left_out=["COREDUMP"]),
            JournalEntry({"A": "2"}),
        ]
        assert found.faults == {"field": 1}


def test_many_fields_share_the_room() -> None:
    """It is the sum of all fields but the message that is bounded."""
    part = "x" * (MAX_OTHER_BYTES // 4)
    stream = text("MESSAGE=" + part, *(f"F{n}={part}" for n in range(5)), "MESSAGE=again")
    (entry,) = feed([stream]).entries
    assert list(entry.fields) == ["MESSAGE", "F0", "F1", "F2", "F3"]
    assert entry.left_out == ["F4", "MESSAGE"]


def test_memory_is_bounded_whatever_comes() -> None:
    """A field of 100 MiB, a line without end, and what is no entry hold no more than the limits."""
    heads = (binary("A", b"", length=100 * 2**20, end=b""), b"A=", b"MESSAGE=", b"", b"A=1\n x")
    for head in heads:
        framer = JournalExportFramer(max_message=1024)
        framer.receive_data(head)
        for _ in range(64):
            framer.receive_data(b"x" * WHOLE_BYTES)
        assert framer.held_bytes <= MAX_OTHER_BYTES + 2 * WHOLE_BYTES


def test_an_entry_as_long_as_may_be_read_in_one_go() -> None:
    """Around the border between the two ways of reading, any split gives the same."""
    for size in range(WHOLE_BYTES - 4, WHOLE_BYTES + 4):
        stream = b"A=" + b"x" * (size - 2) + b"\n\n" + text("A=2")
        whole = feed([stream])
        assert len(whole.entries) == 2
        for cut in range(size - 3, size + 6):
            assert feed([stream[:cut], stream[cut:]]) == whole


names = st.from_regex(r"[A-Z_][A-Z0-9_]{0,5}", fullmatch=True)
lines = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=10)
fields = st.one_of(
    st.tuples(names, lines).map(lambda f: f"{f[0]}={f[1]}\n".encode()),
    st.tuples(names, st.binary(max_size=20)).map(lambda f: binary(*f)),
)
streams = st.one_of(
    st.lists(st.lists(fields, max_size=4).map(lambda f: b"".join(f) + b"\n"), max_size=5).map(
        b"".join
    ),
    st.binary(max_size=60),
    st.lists(
        st.one_of(fields, st.sampled_from([b"\n", b"\n\n", b"A\n", b"=", b"\0" * 8])), max_size=8
    ).map(b"".join),
)


@given(streams, st.lists(st.integers(0, 200), max_size=6))
def test_any_split_gives_the_same(stream: bytes, cuts: list[int]) -> None:
    """Whatever the stream is, where the network cuts it changes nothing, and nothing is raised."""
    places = [0, *sorted(cuts), len(stream)]
    pieces = [stream[a:b] for a, b in pairwise(places)]
    assert feed(pieces, max_message=8) == feed([stream], max_message=8)


@given(st.lists(st.lists(st.tuples(names, st.binary(max_size=20)), min_size=1, max_size=4)))
def test_what_was_written_is_read(written: list[list[tuple[str, bytes]]]) -> None:
    """Every field of every entry comes out as it went in."""
    stream = b"".join(b"".join(binary(*f) for f in entry) + b"\n" for entry in written)
    read = []
    for entry in feed([stream]).entries:
        values = ((n, v if isinstance(v, list) else [v]) for n, v in entry.fields.items())
        read.append({n: [x if isinstance(x, bytes) else x.encode() for x in v] for n, v in values})
    expected = []
    for entry_fields in written:
        by_name: dict[str, list[bytes]] = {}
        for name, value in entry_fields:
            by_name.setdefault(name, []).append(value)
        expected.append(by_name)
    assert read == expected
