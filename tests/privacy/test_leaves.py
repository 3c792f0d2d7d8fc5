"""What is taken out of nested values, and how it is put back."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logopsd.privacy.detectors import NAMES
from logopsd.privacy.leaves import KEY, SMALL, VALUE, collect, put
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


def taken(value, known=()):
    """Collect from a value; these keys are known to be clean and to tell nothing."""
    texts, places = [], []
    collect(value, texts, places, dict.fromkeys(known, False))
    return texts, [(key, kind) for _, key, kind in places]


def test_texts_and_large_numbers_are_taken():
    """Strings at any depth, and whole numbers of nine digits and more; the rest holds nothing."""
    value = {"a": "x", "b": ["y", 5, SMALL, True, None, 0.5, 1e9], "c": {"d": {"e": "z"}}}
    texts, places = taken(value, "abcde")
    assert texts == ["x", "y", str(SMALL), "1000000000", "z"]
    assert places == [("a", VALUE), (0, VALUE), (2, VALUE), (6, VALUE), ("e", VALUE)]


def test_unknown_keys_are_taken_too():
    """A key may be an address; one that is known is not looked at again."""
    assert taken({"a": 1, "b": "x"}, ["b"]) == (["a", "x"], [("a", KEY), ("b", VALUE)])


def test_a_key_that_tells_stands_before_its_value():
    """Quotes and NUL in the value cannot end it."""
    texts, places = taken({"password": 'a"b\0c', "token": 5})
    assert texts == ["password", 'password="a\'b c"', "token", 'token="5"']
    names = [("password", KEY), ("password", "password"), ("token", KEY), ("token", "token")]
    assert places == names


def test_a_key_tells_what_all_below_it_is():
    """A list or an object of passwords is one of passwords."""
    extras = {"password": ["one", {"old": "two", "token": "three"}, [["four"]]], "x": ["five"]}
    made = batch(record("m", extras=extras))
    PrivacyStage().apply(made)
    assert made.records[0].extras == {
        "password": ["***", {"old": "***", "token": "***"}, [["***"]]],
        "x": ["five"],
    }


def masked(extras):
    """Mask a payload."""
    made = batch(record("m", extras=copy.deepcopy(extras)))
    PrivacyStage(detectors=NAMES).apply(made)
    return made.records[0].extras


def test_a_key_within_does_not_override_the_one_above():
    """What lies below a secret's key is secret, whatever it is called there."""
    assert masked({"password": {"key": "hunter3"}}) == {"password": {"key": "***"}}
    assert masked({"secret": [{"token_name": "hunter6"}]}) == {"secret": [{"token_name": "***"}]}
    assert masked({"resetToken": {"key": "hunter6"}}) == {"resetToken": {"key": "***"}}
    assert masked({"phone": {"key": "601700867"}}) == {"phone": {"key": "***67"}}


def test_a_key_within_may_tell_more_than_the_one_above():
    """A `key` or a `phone` above hides nothing of what a nearer key tells."""
    assert masked({"key": {"password": "x"}}) == {"key": {"password": "***"}}
    assert masked({"phone": {"password": "x"}}) == {"phone": {"password": "***"}}
    assert masked({"mobile": {"pesel": "44051401359"}}) == {"mobile": {"pesel": "***********"}}
    assert masked({"key": {"authorization": "Basic abcdef"}}) == {
        "key": {"authorization": "Basic ***"}
    }
    assert masked({"key": {"auth": "x"}}) == {"key": {"auth": "x"}}


@pytest.mark.parametrize(
    "key",
    [
        "passwords",
        "tokens",
        "api-keys",
        "secrets",
        "password2",
        "passwordOld",
        "pwd_new",
        "sharedSecretValue",
        "PASSWORDS",
        "apiKeys",
        "passphrase_1",
        "sessionTokens",
    ],
)
def test_plurals_and_suffixes_tell_too(key):
    """A key need not end in the word that tells."""
    assert masked({key: "hunter2", "n": 1}) == {key: "***", "n": 1}
    assert masked({key: ["hunter2"]}) == {key: ["***"]}


def test_numbers_below_a_secret_are_hidden_and_counters_are_not():
    """A password may be a number, with a fraction too; tokens are counted."""
    assert masked({"password": 12345.5, "passwords": [7], "secrets": {"a": 1e9}}) == {
        "password": "***",
        "passwords": ["***"],
        "secrets": {"a": "***"},
    }
    counters = {
        "max_tokens": 512,
        "token_count": 12345678901,
        "tokens_used": 17,
        "tokens": 5,
        "token_ratio": 0.5,
        "password_length": 12,
        "token_type": "bearer",
    }
    assert masked(counters) == counters


def test_other_types_are_taken_as_their_json():
    """What no JSON document holds is looked at as it would be written."""
    assert taken({"t": ("a", "b")}, ["t"])[0] == ['["a","b"]']


def test_masked_texts_go_where_the_originals_were():
    """Values are replaced in place, and keys keep their order."""
    value = {"k": "x", "jan": ["y"], "z": 1}
    put(
        [((value, "k", VALUE), "X"), ((value, "jan", KEY), "j***"), ((value["jan"], 0, VALUE), "Y")]
    )
    assert list(value.items()) == [("k", "X"), ("j***", ["Y"]), ("z", 1)]


def test_a_value_whose_key_was_masked_goes_whole():
    """Where what stood before a secret is not as it was, nothing of the secret is sure to be."""
    value = {"password": "hunter2"}
    put([((value, "password", "password"), 'p***="hunter2"')])
    assert value == {"password": "***"}


def _record(sd: dict[str, dict[str, object]], extras: dict[str, object], text: str) -> Record:
    return record("m", sd=sd or None, extras=extras or None, procid=text)


IDS = ["id@32473", "meta", "password@32473", "phone"]  # some tell what their values are
RECORDS = st.builds(
    _record,
    st.dictionaries(
        st.sampled_from(["id@32473", "meta", "password@32473", "phone"]),
        mappings(TEXTS),
        max_size=2,
    ),
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
    assert not any("jan@" in repr(one) for one in again + known_keys)
