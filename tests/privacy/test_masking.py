"""The joined way agrees with the plain one, masks stay, and no text costs its square."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logopsd.privacy.detectors import DEFAULT, NAMES, build
from logopsd.privacy.detectors.base import Detector, fold
from logopsd.privacy.detectors.triggers import triggers
from logopsd.privacy.masking import ROUNDS, Masker, blank_escapes
from tests.depth import examples

EVERYTHING = Masker(build(NAMES))

PIECES = st.sampled_from(
    [
        "jan@example.com",
        "@",
        "@b.co",
        "%40",
        r"\u0040",
        "83.11.2.3",
        ".4",
        "4.3.2.1.dialup.example",
        "83-11-2-3",
        "2a02:a31c::3",
        "::ffff:83.11.2.3",
        "::",
        ":",
        "5c:50:15:01:02:03",
        "00e0.ed12.3456",
        "4111111111111111",
        "4111 1111 1111 1111",
        "PL61 1090 1014 0000 0712 1981 2874",
        "PL61109010140000071219812874",
        "+48601700867",
        "phone 601 700 867",
        "44051401359",
        "pesel",
        "ssn 219-09-9999",
        "eyJhbGciOiJ9.eyJzdWIiOiJ9.abc",
        "Authorization: Bearer ",
        "Basic dXNlcjpwYXNz",
        "password=",
        "password: ",
        "token",
        '"api_key":"',
        "--token ",
        "ghp_" + "0" * 36,
        "AKIA" + "A" * 16,
        "postgres://u:p@h",
        "https://",
        "-----BEGIN PRIVATE KEY-----",
        "a",
        "x",
        "u***",
        "***",
        "1",
        "z9",
        "é",
        "ł",
        "😀",
        " ",
        "  ",
        "=",
        "&",
        '"',
        "'",
        "\\",
        "/",
        ".",
        ",",
        ";",
        "-",
        "_",
        "<",
        ">",
        "\n",
        "%3D",
        "\0",
    ]
)
SEPARATED = st.lists(st.tuples(PIECES, st.sampled_from([" ", ", ", "; ", " (", ") ", '" "', "\n"])))
TEXTS = st.one_of(
    st.lists(PIECES | st.sampled_from([r"\n", "#011"]), max_size=8).map("".join),
    st.text(max_size=20),
)


@settings(max_examples=examples(200))
@given(st.lists(TEXTS, max_size=8))
def test_joined_agrees_with_one_at_a_time(texts):
    """A batch joined into one string is masked exactly as its texts one by one."""
    changed, counts = EVERYTHING.mask_many(texts)
    plain = [EVERYTHING.mask_text(text) for text in texts]
    assert [changed.get(place, text) for place, text in enumerate(texts)] == plain
    assert all(changed[place] != texts[place] for place in changed)
    assert bool(changed) == bool(counts)


@settings(max_examples=examples(270))
@given(st.one_of(SEPARATED.map(lambda pairs: "".join(map("".join, pairs))), st.text(max_size=20)))
def test_masking_is_a_fixed_point(text):
    """What is masked is not changed by masking it again."""
    once = EVERYTHING.mask_text(text)
    assert EVERYTHING.mask_text(once) == once


@pytest.mark.parametrize(
    "text",
    [
        " 4111 1111 1111 1111 123-45-6789 4111 1111 1111 1111:--password ",
        r"<\_>http://u:p@::5c:50:15:01:02:03",
        "::5c:50:15:01:02:03 http://u:p@::5c:50:15:01:02:03",
    ],
)
@pytest.mark.parametrize("detectors", [DEFAULT, NAMES])
def test_a_claim_beside_another_is_masked_at_once(text, detectors):
    """What only the mask beside it makes recognisable is masked too, not when masked again."""
    masker = Masker(build(detectors))
    once = masker.mask_text(text)
    assert masker.mask_text(once) == once
    assert masker.mask_many(["x", text, once])[0] == {1: once}


ESCAPES = [
    r"\n", r"\t", r"\r", r"\\n", r"\u000a", r"\u0009", r"\u001B", r"\u0020", r"\u0022",
    r"\u003c", r"\u003E", r"\u0026", r"\x1b", r"\x20", "#011", "#012", "#015", "#033",
]  # fmt: skip
HIDDEN = [
    ("83.11.22.33", "83.11.x.x"),
    ("4111111111111111", "411111******1111"),
    ("PL61109010140000071219812874", "PL61***2874"),
    ("jan@example.com", "***@example.com"),
    ("2a02:a31c:1:2:3:4:5:6", "2a02:a31c:x:x:x:x:x:x"),
]


@pytest.mark.parametrize("escape", ESCAPES)
@pytest.mark.parametrize(("value", "mask"), HIDDEN)
def test_an_escape_before_a_value_does_not_hide_it(escape, value, mask):
    """JSON text within text, and rsyslog's octal codes: the last character is not the value's."""
    text = f"from{escape}{value} on"
    masked = EVERYTHING.mask_text(text)
    assert value not in masked
    assert masked.endswith(mask + " on")
    assert EVERYTHING.mask_many(["#0", text, "\\"])[0] == {1: masked}


def test_a_secret_that_holds_an_escape_goes_whole():
    """A text is looked at as it is first: nothing of a password stays behind a backslash."""
    assert EVERYTHING.mask_text(r"password=ab\ncd#011ef x") == "password=*** x"
    assert EVERYTHING.mask_text(r"a\tpassword=x\n83.11.2.3") == r"a\tpassword=***"


@given(st.lists(st.sampled_from([*ESCAPES, "\\", "#", "0", "u", "\0", "é", "a1"])).map("".join))
def test_blanking_escapes_keeps_places(text):
    """Blanks are as long as what they stand for, and all else is as it was."""
    blanked = blank_escapes(text)
    assert len(blanked) == len(text)
    assert all(new in (old, " ", "\n") for new, old in zip(blanked, text, strict=True))


@given(st.lists(st.sampled_from([*ESCAPES, "83.11.22.33", " ", "x", "é", "\\", "#0"])).map("".join))
def test_what_is_not_masked_is_unchanged(text):
    """Beside the masks, a text with escapes is the text that came."""
    masked = EVERYTHING.mask_text(text)
    assert masked.replace("x.x", "22.33") == text


@given(st.text())
def test_folding_keeps_places(text):
    """One character becomes one byte, so that a place in one is that place in the other."""
    assert len(fold(text)) == len(text)


def test_counts_name_the_detector():
    """The figures say how much each detector hid."""
    _, counts = EVERYTHING.mask_many(["a@b.co c@d.co", "", "83.11.2.3", "clean"])
    assert counts == {"email": 2, "ipv4": 1}


def test_the_first_in_order_has_disputed_text():
    """A mapped address is IPv6's, and not IPv4's; what is dropped is not counted."""
    changed, counts = EVERYTHING.mask_many(["::ffff:83.11.2.3"])
    assert changed == {0: "::ffff:83.11.x.x"}
    assert counts == {"ipv6": 1}


def test_claims_that_overlap_in_every_way_are_settled():
    """Of overlapping claims the earlier detector's stand, whichever side they overlap on."""

    def find(length):
        return lambda _, at: (at, at + length, "#")

    def masker(first, second):
        return Masker(
            [Detector("one", triggers(first), find(3)), Detector("two", triggers(second), find(3))]
        )

    assert masker(b"a", b"b").mask_text("abcd") == "#d"
    assert masker(b"b", b"a").mask_many(["abcdef"])[0] == {0: "#f"}
    assert masker(b"b", b"e").mask_text("abcdefgh") == "a##h"
    assert masker(b"b", b"a").mask_many(["abcdef"])[1] == {"one": 1, "two": 1}


def test_masking_again_comes_to_an_end():
    """Even a mask that asks for itself is applied a bounded number of times."""
    detector = Detector("one", triggers(b"a"), lambda _, at: (at, at + 1, "aa"))
    masked = Masker([detector]).mask_text("aa")
    assert len(masked) == 2 ** (ROUNDS + 2)
    assert Masker([detector]).mask_many(["aa", "b"])[0] == {0: masked}


def test_nothing_found_touches_nothing():
    """A clean batch gives no change at all."""
    assert EVERYTHING.mask_many(["clean", "lines"]) == ({}, {})
    assert EVERYTHING.mask_many([]) == ({}, {})


# fmt: off
HOSTILE = [
    "_", "a.", "ab:", "1 ", "1.", "1-", "@", "a@", "a@b.", "eyJ", "eyJaaaaa.", "bounce=",
    "bounce=a@", "password=", "password='", 'password="', "password: ", 'password=\\"',
    "password=a,", "://", "://a:", "://a:b@", "://:", "::", "a::", "0:", "00:", "%40", "a%40",
    "a%40b.", "\\u0040", "-", "--", "--a-", "-a", "-----BEGIN ", "-----BEGIN PRIVATE KEY-----",
    "ghp_", "_a", "AKIA", "1234", "1234 ", "PL61 ", "A1", "+1", "+1 ", "phone ", "phone1",
    "Bearer ", "Basic a", "authorization: ", "authorization", "pesel ", "ssn 1", "<a", "<", '"',
    '"@', "~", "'", "\\", "[", "\n", "é", "ł", "ł@", "key=", "password=$", "password=xxx",
    "pass=1", "token=a", "broken=", "pwd=/", "api_key=", "token", "=", "x.x.", "0.0.0.0", "::1",
    "1::", "*@", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.", "%3D",
    "secret",
]
# fmt: on


@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_lines_cost_what_their_length_does(piece):
    """Twice the length costs about twice the time; squared growth would cost four times it."""

    def cost(length):
        text = piece * (length // len(piece))
        best = float("inf")
        for _ in range(3):
            begin = time.process_time()  # what other processes do to the clock does not count
            EVERYTHING.mask_text(text)
            best = min(best, time.process_time() - begin)
        return best

    short, long = cost(1 << 13), cost(1 << 16)
    # Eight times the length; 64 times the cost would be squared.
    assert long < 24 * short + 0.05, f"{short:.4f} s for 8 KiB, {long:.4f} s for 64 KiB"


def test_default_is_a_choice_of_what_there_is():
    """The detectors that run unasked are among those there are."""
    assert set(DEFAULT) < set(NAMES)
