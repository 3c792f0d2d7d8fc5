"""A record on a terminal: what is shown, and that nothing of it moves the cursor."""

import json
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from logopsd.commands.arguments import LEVEL_NAMES
from logopsd.commands.record_line import Filter, cut, safe_json, shown
from logopsd.records import LEVELS
from logopsd.stored.lines import read

RECORD = {
    "ts": "2026-11-23T12:34:56.789Z",
    "level": "ERROR",
    "msg": "disk is full",
    "emitter": "shop",
    "host": "web1",
    "input": "udp",
    "received": "2026-11-23T12:34:57.000Z",
    "msg_enc": "gAAAA",
    "order": 7,
    "user": {"id": 1},
}


def test_a_record_is_one_line():
    """Time, level, who, what, and what the payload brought; no tokens."""
    line = '12:34:56 ERROR    web1 shop: disk is full order=7 user={"id":1}'
    assert shown(RECORD) == line
    assert shown(RECORD, colour=True) == f"\x1b[31m{line}\x1b[0m"
    assert shown(RECORD, width=40) == line[:39] + "~"
    assert shown({"msg": "x"}) == "-------- -        x"


def test_an_old_stamp_has_its_day():
    """Where the sender's time is not of the day of arrival."""
    assert shown(RECORD | {"ts": "2026-10-11T22:14:15Z"}).startswith("2026-10-11T22:14:15 ERROR")


@settings(deadline=None)
@given(st.dictionaries(st.text(), st.text() | st.integers()), st.integers(30, 200))
def test_nothing_moves_the_cursor(fields, width):
    """Whatever a record holds, it is printable, and fits."""
    record = read(json.dumps(fields).encode())
    line = shown(record, width=width)
    assert line.isprintable()
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", shown(record))


def test_controls_are_shown_as_text():
    """A message that would clear the screen, ring, or turn the line round."""
    record = {"msg": "a\x1b[2Jb\nc\x07\u202ed\x9b1m"}
    assert shown(record).endswith(r"a\x1b[2Jb\nc\x07\u202ed\x9b1m")


@settings(deadline=None)
@given(st.text())
def test_json_on_a_terminal_keeps_its_value(text):
    """Only how it is written changes."""
    line = json.dumps({"msg": text}, ensure_ascii=False).encode("utf-8", "surrogatepass")
    safe = safe_json(line)
    if "\\udc" not in safe.decode() and "\\x" not in safe.decode():
        assert json.loads(safe)["msg"] == text
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e]", safe.decode())


def test_what_is_no_json_is_text():
    """Whoever wrote it there; an array is none of ours either."""
    assert read(b"\xff{") == {"msg": "\ufffd{"}
    assert read(b"[1]") == {"msg": "[1]"}
    assert safe_json(b"\x1b[2J") == rb"\x1b[2J"


def test_filters():
    """By level and worse, emitter, text as it is shown, and time."""
    assert Filter("ERROR", {"shop"}, "DISK is", "2026-11-23T12:34:57.000").passes(RECORD)
    assert Filter(text="order=7").passes(RECORD)
    assert not Filter("CRITICAL").passes(RECORD)
    assert not Filter("DEBUG").passes({"msg": "no level"})
    assert not Filter(emitters={"sho"}).passes(RECORD)
    assert not Filter(text="gAAAA").passes(RECORD)
    assert not Filter(since="2026-11-23T12:34:57.001").passes(RECORD)


def test_every_level_can_be_asked_for():
    """By its own name at least."""
    assert set(LEVEL_NAMES.values()) == set(LEVELS)
    assert all(LEVEL_NAMES[level.lower()] == level for level in LEVELS)


def test_wide_characters_take_two_columns():
    """And combining ones none."""
    assert cut("日本語", 6) == "日本語"
    assert cut("日本語", 5) == "日本~"
    assert cut("日本語", 4) == "日~"
    assert cut("e\u0301e\u0301", 2) == "e\u0301e\u0301"
