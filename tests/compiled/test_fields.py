"""The fields of records are read where they lie as Python reads them."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logopsd import encoding
from logopsd.compiled import record_fields
from logopsd.compiled.fields import RecordFields, without_seams
from logopsd.privacy import slots
from logopsd.privacy.slots import distinct
from logopsd.records import Record

TEXTS = st.none() | st.sampled_from(["", "a", "b", "\u0661", "12345678", "123456789", "1a"])


def record(**fields):
    """Make a record."""
    return Record("", "INFO", "hello", **fields)


def plainly(module, do):
    """Do something without what is compiled."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "record_fields", None)
        patch.setattr(module, "without_seams", None, raising=False)
        return do()


@given(st.lists(TEXTS, max_size=8), st.sets(TEXTS, max_size=3))
def test_texts_are_told_apart_alike(texts, known):
    """Each once, in order, without those that are known and short numbers."""
    known.add(None)
    records = [record(app=text) for text in texts]
    found = distinct(records, "app", known)
    assert found == plainly(slots, lambda: distinct(records, "app", known))
    assert "" not in found
    assert "12345678" not in found


@given(
    st.lists(
        st.none()
        | st.dictionaries(st.sampled_from(["a", "b", "peer", "extras"]), st.integers(), max_size=3),
        max_size=8,
    )
)
def test_records_are_encoded_alike(payloads):
    """With extras, without, with empty ones, and with such as are named as our own fields."""
    records = [record(extras=payload) for payload in payloads]
    made = encoding.encode(records)
    assert made == plainly(encoding, lambda: encoding.encode(records))
    assert [each.extras for each in records] == payloads


def test_no_reference_is_lost_or_kept():
    """What is taken aside and put back is held by its record alone, as before."""
    payload = {"a": object()}
    one = record(extras=payload)
    before = sys.getrefcount(payload), sys.getrefcount(None)
    for _ in range(100):
        lines, held = record_fields.set_aside([one], frozenset(), dict, b"")
        record_fields.put_back(held)
        del lines, held
    after = sys.getrefcount(payload), sys.getrefcount(None)
    assert after[0] == before[0]
    assert abs(after[1] - before[1]) < 50  # others use it too


@pytest.mark.parametrize("stranger", [None, object(), "text", ("", "INFO", "hello")])
def test_what_is_no_record_is_refused(stranger):
    """Nothing is read of the memory of another object."""
    for use in (
        lambda: record_fields.distinct([stranger], "app", set()),
        lambda: record_fields.shares([stranger], None),
        lambda: record_fields.set_aside([record(extras={}), stranger], frozenset(), dict, b""),
        lambda: record_fields.put_back([stranger, {}]),
    ):
        with pytest.raises(TypeError, match="no record"):
            use()


def test_a_record_that_lacks_a_field_is_refused():
    """As nobody makes them; a pointer to nothing is not followed."""
    half = record()
    del half.sd
    with pytest.raises(TypeError, match="lacks a field"):
        record_fields.shares([half], None)


def test_a_class_whose_fields_lie_elsewhere_is_refused():
    """Slots alone tell where to look."""

    class Odd:
        __struct_fields__ = ("msg",)
        msg = "hello"

    with pytest.raises(TypeError, match="no slot"):
        RecordFields(Odd)


def test_fields_that_are_no_texts_are_refused():
    """They would be taken for such."""
    with pytest.raises(TypeError):
        record_fields.distinct([record(app=5)], "app", set())
    with pytest.raises(TypeError):
        record_fields.shares([Record("", "", 5)], None)


@given(st.lists(st.binary(max_size=5).filter(lambda part: b"\x01" not in part), min_size=1))
def test_seams_are_taken_out_as_replace_does(parts):
    """Wherever they stand, and where there are none."""
    seam = b"}\n\x01\n{"
    data = seam.join(parts)
    assert without_seams(data, seam, 2, len(parts) - 1) == b",".join(parts)


@pytest.mark.parametrize(
    "data", [b"", b"ab", b"}\n\x01\n", b"\x01\n{ab", b"ab}\n\x01\n[", b"\x01" * 9]
)
def test_seams_that_are_not_there_are_told(data):
    """Nothing is taken for one."""
    with pytest.raises(ValueError, match="seam"):
        without_seams(data, b"}\n\x01\n{", 2, 1)
    with pytest.raises(ValueError, match="seam"):
        without_seams(data, b"}\n\x01\n{", 5, 0)
