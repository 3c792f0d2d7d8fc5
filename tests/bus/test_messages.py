"""What a message in the stream is."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logopsd.bus.messages import MESSAGE_ID, RANGE, RECORDS, Message, Origin, Subjects, messages

ORIGIN = Origin("5f1d", "20261123.ndjson", 100, 900)


def line(**fields: object) -> bytes:
    """A record's line."""
    return json.dumps(fields).encode() + b"\n"


def cut(*lines: bytes, template: str = "logs.{input}.{level}", limit: int = 1000) -> list[Message]:
    """The messages of some lines, all of which must fit."""
    made, too_long = messages(b"".join(lines), ORIGIN, Subjects(template), limit)
    assert not too_long
    return made


def test_the_lines_of_a_range_are_parted_by_subject_and_keep_their_order() -> None:
    """A message a subject; records of one subject stand as in the file."""
    first = line(level="INFO", input="udp", msg="1")
    other = line(level="ERROR", input="udp", msg="2")
    last = line(level="INFO", input="udp", msg="3")

    info, error = cut(first, other, last)

    assert (info.subject, info.payload, info.records) == ("logs.udp.info", first + last, 2)
    assert (error.subject, error.payload, error.records) == ("logs.udp.error", other, 1)
    assert info.headers[RECORDS] == "2"
    assert info.headers[RANGE] == error.headers[RANGE] == "100-900"


def test_a_line_that_is_no_record_goes_along() -> None:
    """Someone else's line, and one whose fields are no text, have no values in their subject."""
    made = cut(b"no JSON\n", line(level=5), b"\n", b"  \n", b"a\rb\n", template="a.{level}.b")

    assert [(m.subject, m.records) for m in made] == [("a.none.b", 4)]
    assert [m.subject for m in cut(line(level="INFO"), b"  \n")] == [
        "logs.none.info",
        "logs.none.none",
    ]


def test_a_subject_without_values_keeps_the_order_of_the_file() -> None:
    """One message a range; nobody looks into the lines."""
    lines = [line(level="INFO"), b"x\n", line(level="ERROR")]

    (one,) = cut(*lines, template="logs.all")

    assert one.payload == b"".join(lines)


def test_what_a_sender_chose_cannot_break_out_of_its_place() -> None:
    """A dot or a wildcard in an emitter would be more names, and a long one more bytes."""
    subjects = {
        m.subject
        for m in cut(
            line(emitter="a.b *>\r\n", level="INFO"),
            line(emitter="x" * 70, level="INFO"),
            template="l.{emitter}-{level}",
        )
    }

    assert subjects == {"l.a_b_____-info", f"l.{'x' * 64}-info"}


def test_as_many_senders_as_like_take_no_more_memory() -> None:
    """Subjects that were made are remembered up to a bound."""
    subjects = Subjects("l.{host}")

    groups = subjects.group([line(host=f"h{n}") for n in range(10_500)])

    assert len(groups) == 10_500
    assert len(subjects._known) == 500


@pytest.mark.parametrize(
    "template", ["", ".", "a..b", "a.*", "a.>", "a b", "{x}", "a.{input", "$x"]
)
def test_what_is_no_template_is_refused(template: str) -> None:
    """Before anything is published."""
    with pytest.raises(ValueError, match="takes names"):
        Subjects(template)


@pytest.mark.parametrize(
    ("template", "pattern"),
    [
        ("logs.{input}.{level}", "logs.>"),
        ("logs.all", "logs.all"),
        ("{host}", ">"),
        ("a.x{host}.b", "a.>"),
    ],
)
def test_a_stream_takes_what_the_template_makes(template: str, pattern: str) -> None:
    """Of fixed names before the first value, all that follows."""
    assert Subjects(template).pattern == pattern


def test_a_line_that_fits_into_no_message_is_handed_back() -> None:
    """It is for the caller to tell; the others are published."""
    long = line(level="INFO", msg="x" * 1000)
    short = line(level="INFO")

    made, too_long = messages(long + short, ORIGIN, Subjects(), 1000)

    assert [m.payload for m in made] == [short]
    assert too_long == [long]


def test_equal_lines_in_two_messages_have_two_ids() -> None:
    """Else the second would be taken for a repetition of the first, and be lost."""
    made = cut(*[b"x" * 9 + b"\n"] * 4, limit=20)

    assert len({m.headers[MESSAGE_ID] for m in made}) == len(made) == 2


LINES = st.lists(
    st.builds(
        lambda level, size: line(level=level, input="tcp", msg="m" * size),
        st.sampled_from(["INFO", "WARN", "odd"]),
        st.integers(0, 60),
    ),
    max_size=12,
)


@given(LINES, st.integers(120, 400))
def test_every_line_is_in_one_message_and_none_is_over_the_limit(
    lines: list[bytes], limit: int
) -> None:
    """Nothing is lost, doubled or reordered within a subject, and the same cut has the same ids."""
    made = cut(*lines, limit=limit)

    assert sorted(b"".join(m.payload for m in made).splitlines()) == sorted(
        each.rstrip(b"\n") for each in lines
    )
    assert all(len(m.payload) <= limit for m in made)
    assert made == cut(*lines, limit=limit)
    for subject, group in Subjects().group(lines).items():
        assert b"".join(group) == b"".join(m.payload for m in made if m.subject == subject)
    for one, two in pairwise(made):
        assert one.headers[MESSAGE_ID] != two.headers[MESSAGE_ID]
