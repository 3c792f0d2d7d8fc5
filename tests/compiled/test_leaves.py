"""Usual payloads are collected as by the walk, but for texts that are short numbers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logopsd.compiled import collect_usual
from logopsd.privacy.detectors import NAMES
from logopsd.privacy.leaves import MAX_DEPTH, SMALL, VALUE, collect
from logopsd.privacy.stage import PrivacyStage
from tests.depth import examples
from tests.privacy.helpers import batch, record
from tests.privacy.test_leaves import KEYS, TEXTS, VALUES, mappings


def taken(payloads, known=KEYS, telling=()):
    """Collect at once; None where it was not done."""
    texts, places = ["before"], [()]
    keys = {**dict.fromkeys(known, False), **dict.fromkeys(telling, True)}
    done = collect_usual(payloads, texts, places, keys, VALUE, SMALL, MAX_DEPTH)
    assert done or (texts, places) == (["before"], [()])
    return (texts[1:], places[1:]) if done else None


def test_texts_of_mappings_within_are_taken_too():
    """As in structured data; but not deeper than the walk goes."""
    inner, deep = {"user": "x"}, {"user": "y"}
    assert taken([{"n": inner}]) == (["x"], [(inner, "user", VALUE)])
    for _ in range(MAX_DEPTH - 1):
        deep = {"n": deep}
    assert taken([deep])[0] == ["y"]
    assert taken([{"n": deep}]) is None


@settings(deadline=None)
@given(st.lists(mappings(VALUES), max_size=4) | st.lists(mappings(TEXTS), max_size=4))
def test_what_is_taken_at_once_is_what_the_walk_takes(payloads):
    """The same texts from the same places in the same order, but for numbers of few digits."""
    texts, places = [], []
    for payload in payloads:
        collect(payload, texts, places, dict.fromkeys(KEYS, False))
    found = taken(payloads)
    if found is not None:
        kept = [at for at, text in enumerate(texts) if text and not text.isdigit()]
        long = [at for at, text in enumerate(texts) if len(text) > 8]
        expected = sorted({*kept, *long})
        assert found == ([texts[at] for at in expected], [places[at] for at in expected])


@settings(max_examples=examples(100), deadline=None)
@given(st.lists(mappings(TEXTS), min_size=1, max_size=4))
def test_payloads_are_masked_alike(payloads):
    """Whether their keys are known by then or not."""
    stage = PrivacyStage(detectors=NAMES)
    first, second = ([dict(payload) for payload in payloads] for _ in range(2))
    for made in (first, second):
        stage.apply(batch(*(record("x", extras=payload or None) for payload in made)))
    assert first == second


def test_texts_under_known_keys_are_taken_at_once():
    """The usual structured data does not need the walk."""
    one, two = {"user": "x", "n": "5"}, {"user": "y"}
    assert taken([one, {}, two]) == (["x", "y"], [(one, "user", VALUE), (two, "user", VALUE)])
    assert taken([{"n": "5"}, {"n": ""}, {"n": "12345678"}]) == ([], [])
    assert taken([{"n": 5, "user": True}, {"n": 0.5}, {"n": None}]) == ([], [])
    assert taken([{"n": "123456789"}]) == (["123456789"], [({"n": "123456789"}, "n", VALUE)])


@pytest.mark.parametrize(
    "payload",
    [
        {"password": "x"},
        {"other": "x"},
        {"n": SMALL},
        {"n": -1e9},
        {"n": float("nan")},
        {"user": ["x"]},
        {"user": {"other": "x"}},
        {"user": {"password": "x"}},
        {"user": {"n": ["x"]}},
        {5: "x"},
        [],
    ],
)
def test_all_else_is_left_to_the_walk(payload):
    """A key that tells or is unknown, a large number, what holds more, what is no dict."""
    assert taken([{"user": "x"}, payload], telling=["password"]) is None
