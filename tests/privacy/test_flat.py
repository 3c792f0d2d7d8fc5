"""Mappings taken up at once agree with the walk through each of them."""

import copy
from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from logopsd.privacy.flat import collect_flat, count_texts
from logopsd.privacy.leaves import SMALL, Known, collect
from logopsd.privacy.stage import PrivacyStage
from logopsd.records import Record
from tests.privacy.helpers import batch, record

KEYS = ["user", "n", "sequenceId", "password", "jan@example.com"]
TEXTS = st.sampled_from(["", "x", "jan@example.com", "83.11.2.3", "a\0b", "1", "44051401359"])
NUMBERS = st.sampled_from(
    [0, True, None, 0.5, SMALL, -SMALL, SMALL - 1, float("nan"), float("inf"), 1e300, -1e9]
)
SCALARS = TEXTS | NUMBERS
VALUES = SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(TEXTS, SCALARS, max_size=2)


def mappings(values: st.SearchStrategy[object]) -> st.SearchStrategy[dict[str, object]]:
    """Mappings of the keys above to such values."""
    return st.dictionaries(st.sampled_from(KEYS), values, max_size=3)


def known(*keys: str) -> Known:
    """Remember these keys as clean."""
    remembered = Known()
    remembered.remember(list(keys))
    return remembered


@given(st.lists(mappings(VALUES)))
def test_what_is_taken_up_at_once_is_what_the_walk_finds(given_mappings):
    """Where it does not ask for the walk, it gives the same texts in the same order."""
    walked: list[str] = []
    unknown: list[tuple[str, int]] = []
    for mapping in given_mappings:
        collect(mapping, walked, known(*KEYS), unknown)
    found = collect_flat(given_mappings, known(*KEYS))
    if found is not None:
        assert found == walked
        assert len(found) == sum(map(count_texts, given_mappings))


def test_texts_and_small_numbers_under_known_keys_are_taken_up_at_once():
    """The usual mapping does not ask for the walk."""
    given_mappings = [{"user": "x", "n": 5}, {"n": None}, {}, {"user": "y", "n": 0.5}]
    assert collect_flat(given_mappings, known(*KEYS)) == ["x", "y"]


def test_the_walk_is_asked_for():
    """An unknown key, one that tells, a large number and a nested value are left to the walk."""
    for mapping in ({"other": "x"}, {"password": "x"}, {"n": SMALL}, {"n": 1e300}, {"n": ["x"]}):
        assert collect_flat([mapping], known(*KEYS)) is None


def _record(sd: dict[str, dict[str, object]], extras: dict[str, object], text: str) -> Record:
    return record("m", sd=sd or None, extras=extras or None, procid=text)


RECORDS = st.builds(
    _record,
    st.dictionaries(st.sampled_from(["id@32473", "meta"]), mappings(TEXTS), max_size=2),
    mappings(VALUES),
    TEXTS,
)


@given(st.lists(RECORDS, max_size=4))
def test_a_stage_masks_the_same_once_it_knows_the_keys(records):
    """The first batch is walked, as no key is known; a later one may not be, and comes out so."""
    stage = PrivacyStage()
    stage.apply(batch(*[record("m", extras=dict.fromkeys(KEYS, 1))]))
    known_keys, unknown_keys = copy.deepcopy(records), copy.deepcopy(records)
    stage.apply(batch(*known_keys))
    stage.apply(batch(*copy.deepcopy(records)))
    for one in unknown_keys:
        PrivacyStage().apply(batch(one))
    again = copy.deepcopy(records)
    stage.apply(batch(*again))
    # By their texts: nan is unequal to itself.
    assert list(map(repr, again)) == list(map(repr, known_keys)) == list(map(repr, unknown_keys))
    assert not any("jan@" in repr(one) for one in chain(again, known_keys))
