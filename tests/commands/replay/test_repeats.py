"""What a stream holds twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logopsd.commands.replay import repeats as module
from logopsd.commands.replay.repeats import Repeats


@given(st.lists(st.tuples(st.text("abc", max_size=2), st.integers(1, 9))))
def test_an_id_is_new_once(messages: list[tuple[str, int]]) -> None:
    """Without one, a message always is; records of the others are counted."""
    repeats, seen, again = Repeats(), set(), 0
    for id, records in messages:
        assert repeats.are_new(id, records) is (not id or id not in seen)
        again += records if id in seen and id else 0
        seen.add(id)
    assert repeats.left_out == again


def test_the_oldest_ids_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory stays bounded; what is forgotten is new again."""
    monkeypatch.setattr(module, "MAX_IDS", 2)
    repeats = Repeats()
    assert [repeats.are_new(id, 1) for id in "abcca"] == [True, True, True, False, True]
