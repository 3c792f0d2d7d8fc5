"""Stored lines: originals put back, tokens moved under a new key, nothing lost on the way."""

import json
import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logopsd.encoding import encode
from logopsd.privacy.reveal import rekey, reveal
from logopsd.privacy.stage import PrivacyStage
from logopsd.privacy.tokens import new_key
from tests.privacy.helpers import KEY, batch, maker, record

OLD = new_key(os.urandom)
TOKENS = maker()
DIRTY = "jan@example.com from 83.11.2.3"


def stored(*records, tokens=TOKENS, fields=("user_email", "client_ip", "n")):
    """Make the lines of a file as the daemon writes them."""
    made = batch(*records)
    PrivacyStage(tokens=tokens, encrypt_fields=fields).apply(made)
    return encode(made.records).splitlines(keepends=True)


def test_originals_stand_where_their_masks_stood():
    """A revealed line is the record as it came, without tokens."""
    lines = stored(record(DIRTY, extras={"user_email": "jan@example.com", "n": 17}))
    (line,) = reveal(lines, TOKENS.decrypt)
    shown = json.loads(line.data)
    assert shown["msg"] == DIRTY
    assert shown["user_email"] == "jan@example.com"
    assert shown["n"] == 17
    assert not any(name.endswith("_enc") for name in shown)
    assert (line.done, line.failed, line.malformed) == (3, (), False)


def test_only_the_named_fields_are_revealed():
    """What was not asked for stays masked, with its token."""
    lines = stored(record(DIRTY, extras={"user_email": "jan@example.com"}))
    (line,) = reveal(lines, TOKENS.decrypt, fields=["user_email"])
    shown = json.loads(line.data)
    assert shown["user_email"] == "jan@example.com"
    assert shown["msg"].startswith("j***@")
    assert TOKENS.decrypt(shown["msg_enc"]) == DIRTY
    assert line.done == 1


def test_grep_looks_at_what_was_opened():
    """Lines are chosen by their originals, which nobody could search for otherwise."""
    lines = stored(record(DIRTY), record("eva@example.com"))
    found = list(reveal(lines, TOKENS.decrypt, grep=re.compile("eva@")))
    assert [json.loads(line.data)["msg"] for line in found] == ["eva@example.com"]


def test_a_token_that_no_key_opens_is_told_and_kept():
    """The line stands as it was, and says which field failed."""
    lines = stored(record(DIRTY), tokens=maker(OLD))
    for generator in (reveal(lines, TOKENS.decrypt), rekey(lines, TOKENS.rotate)):
        (line,) = generator
        assert line.data == lines[0].rstrip(b"\n")
        assert (line.done, line.failed) == (0, ("msg",))


@pytest.mark.parametrize("line", [b"", b"torn {", b"[1]", b'"x"', b"\xff", b"{}x"])
def test_what_is_no_record_passes_unchanged(line):
    """A torn or foreign line is kept byte for byte, and told."""
    for generator in (reveal([line], TOKENS.decrypt), rekey([line], TOKENS.rotate)):
        (out,) = generator
        assert (out.data, out.malformed, out.done) == (line, True, 0)


def test_a_token_that_is_no_text_has_failed():
    """A number where a token belongs is no token."""
    (line,) = reveal([b'{"msg_enc":5}'], TOKENS.decrypt)
    assert line.failed == ("msg",)


def test_a_token_alone_brings_its_field_back():
    """A token whose masked field is gone still gives the original."""
    token = TOKENS.encrypt_many(["x"], 0)[0]
    (line,) = reveal([json.dumps({"a_enc": token}).encode()], TOKENS.decrypt)
    assert json.loads(line.data) == {"a": "x"}


def test_nested_keys_that_look_like_tokens_are_a_senders_own():
    """Only top-level fields hold tokens: a sender cannot block a rekeying with a made-up one."""
    line = b'{"msg":"x","a":{"b_enc":"gAAAAmade-up"}}'
    for generator in (reveal([line], TOKENS.decrypt), rekey([line], TOKENS.rotate)):
        (out,) = generator
        assert (out.data, out.done, out.failed) == (line, 0, ())


def test_rekeying_moves_tokens_and_is_done_twice_without_change():
    """After a rotation the new key alone opens everything, and a second run changes nothing."""
    lines = stored(record(DIRTY, extras={"user_email": "jan@example.com"}), tokens=maker(OLD))
    moved = list(rekey(lines, maker(KEY, OLD).rotate))
    assert [line.done for line in moved] == [2]
    (shown,) = reveal([line.data for line in moved], maker(KEY).decrypt)
    assert json.loads(shown.data)["msg"] == DIRTY
    again = list(rekey([line.data for line in moved], maker(KEY, OLD).rotate))
    assert [line.data for line in again] == [line.data for line in moved]


NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), NUMBERS | st.text(max_size=5)))
def test_rekeying_keeps_the_bytes_of_everything_else(values):
    """Numbers of any precision and every escape come through as they were written."""
    token = maker(OLD).encrypt_many(["x"], 0)[0]
    line = json.dumps({**values, "msg_enc": token}, separators=(",", ":")).encode()
    (moved,) = rekey([line], maker(KEY, OLD).rotate)
    new = json.loads(moved.data)["msg_enc"]
    assert moved.data == line.replace(token.encode(), new.encode())
