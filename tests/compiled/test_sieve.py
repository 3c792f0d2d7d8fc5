"""The compiled sieve: what it masks, and what it leaves alone, is what the masker says."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logopsd.privacy.detectors import DEFAULT, NAMES, build
from logopsd.privacy.detectors.base import Detector, fold
from logopsd.privacy.detectors.triggers import Head, triggers
from logopsd.privacy.masking import Masker
from logopsd.privacy.sifting import make_sieve
from tests.depth import examples

MASKERS = {
    "default": build(DEFAULT),
    "all": build(NAMES),
    "keep": build(DEFAULT, ["83.11.0.0/16", "example.com"]),
    "two": build(["email", "ipv4"]),
}

# What stands around an address, and what looks like one, in all its ways.
PIECES = [
    *("83.11.2.3", "10.0.0.0", "127.0.0.1", "255.255.255.0", "0.0.0.0", "300.1.2.3", "1.2.3.4"),
    *(
        "2.5.29.14",
        "1.3.6.1",
        "1.3.6.1.4",
        "8.8.8.8",
        "083.011.002.003",
        "1234.5.6.7",
        "1.2.3.4567",
    ),
    *("83.11.2.3.4", ".83.11.2.3", "83-11-2-3.dyn", "ip-83-11-2-3", "83.11.2", "4.3.2.1.example"),
    *("jan@example.com", "first.last+x@mail.example.org", "a@b.co", "@", "git@github.com", "x@y"),
    *("getty@tty1.service", "jan@example.com.", "jan@example.c0m", "jan@-x.com", "jan@x..com"),
    *("_a@example.com", ".a@example.com", "a'b@example.com", "jan@example.com_x", "J@EXAMPLE.COM"),
    *(
        "j***@example.com",
        "j***@",
        "***@",
        "83.11.x.x",
        "jan@1.2.3.4",
        "a@b@c.de",
        "x@example.com***",
    ),
    *("x" * 62 + "@example.com", "x" * 63 + "@example.com", "x" * 64 + "@example.com"),
    *("version", "ver", "rev", "kernel", "firmware", "release", "upgrade", "build", "oid", "fw"),
    *("server", "for", "over", "from", "Chrome/", "ip", "to", "client", "package_version"),
    *("00000008", "4111 1111 1111 1111", "4111111111111111", "PL61109010140000071219812874"),
    *("password", "password=x", "passwd:", "pwd%3D", "key", "token=", "secret", "session_id="),
    *("Bearer ", "basic ", "cookie", "::", "::1", "2a02:a31c::3", "12:34:56", "2024-05-03", "--x"),
    *("pesel", "ssn", "social", "eyJ", "https://", "-----BEGIN ", "5c:50:15:01:02:03", "_", "-"),
    *(
        " ",
        "  ",
        "=",
        "(",
        "[",
        "<",
        ")",
        "]",
        ">",
        ",",
        ":",
        ";",
        '"',
        "'",
        "/",
        ".",
        "\\",
        "#012",
    ),
    *("\n", "\0", "\t", "\x7f", "é", "ł", "😀", "a", "Z", "r", "0", "9", "%20", "%40", "#123", "?"),
]
texts = st.lists(st.sampled_from(PIECES), max_size=10).map("".join)
spaced = st.lists(st.sampled_from(PIECES), max_size=8).map(" ".join)


@pytest.mark.parametrize("name", MASKERS)
@settings(max_examples=examples(340), deadline=None)
@given(chosen=st.lists(texts | spaced | st.text(max_size=30), max_size=6))
def test_sifted_texts_are_masked_as_all_others(name, chosen):
    """With the sieve before it, a masker hides and counts what it does without."""
    with_sieve, plain = Masker(MASKERS[name]), Masker(MASKERS[name], compiled=False)
    changed, counts = with_sieve.mask_many(chosen)
    expected, expected_counts = plain.mask_many(chosen)
    assert (changed, counts) == (expected, expected_counts)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("mail from jan@example.com to x", "mail from j***@example.com to x"),
        ("client 83.11.2.3 gone", "client 83.11.x.x gone"),
        ("83.11.2.3 - - [x]", "83.11.x.x - - [x]"),
        ("peer [83.11.2.3]:22", "peer [83.11.x.x]:22"),
        ("a jan@example.com from 83.11.2.3: no", "a j***@example.com from 83.11.x.x: no"),
    ],
)
def test_usual_finds_are_masked_here(text, masked):
    """Nothing of them is left to the masker."""
    changed, mails, addresses, left = make_sieve(build(DEFAULT), finds=True).sift([text, "x"])
    assert (changed, left) == ({0: masked}, [])
    assert mails + addresses == masked.count("***") + masked.count(".x.x")


@pytest.mark.parametrize(
    "text",
    [
        "session 12 opened for user root by (uid=0)",
        "Failed password for root from 127.0.0.1 port 22 ssh2",
        "Started getty@tty1.service at 2024-05-03 12:34:56",
        "id 1795456800 took 0.123456 s",
        "naïve łódź",
    ],
)
def test_texts_without_anything_are_clean(text):
    """Nothing of them is left to the masker either."""
    assert make_sieve(build(DEFAULT), finds=True).sift([text]) == ({}, 0, 0, [])


@pytest.mark.parametrize(
    "text", ["password=x", "café jan@example.com", "PL61109010140000071219812874", "a\0b", r"a\nb"]
)
def test_what_it_is_not_sure_of_is_left(text):
    """A find of another kind, a find beside what is not ASCII, an escape, a divider."""
    assert make_sieve(build(DEFAULT), finds=True).sift(["x", text]) == ({}, 0, 0, [1])


def test_without_finds_texts_with_an_address_are_left():
    """For pseudonyms, which need the masker."""
    texts = ["jan@example.com", "from 83.11.2.3 on", "none"]
    assert make_sieve(build(DEFAULT), finds=False).sift(texts) == ({}, 0, 0, [0, 1])


def test_a_detector_that_fails_is_heard_of():
    """So that the stage withholds, and does not let through."""

    def examine(text, at):
        raise LookupError(at)

    sieve = make_sieve([Detector("x", triggers(b"boom"), examine)], finds=True)
    with pytest.raises(LookupError):
        sieve.sift(["clean", "a boom"])


@settings(max_examples=examples(500), deadline=None)
@given(texts | spaced | st.text(alphabet="0a-:._%[]=\"'\\ sigkeynpwdbr@", max_size=40))
def test_a_head_stands_wherever_its_trigger_matches(text):
    """Else the sieve would pass by what a detector asks for."""
    folded = fold(text)
    for detector in MASKERS["all"]:
        for trigger in detector.triggers:
            for match in trigger.pattern.finditer(folded):
                at = match.start()
                assert any(stands(head, folded, at) for head in trigger.heads), trigger


@pytest.mark.parametrize(
    ("heads", "problem"),
    [
        ([(-3, b"", False, [])], "empty or too long"),
        ([(-3, b"", False, [b"a"] * 25)], "empty or too long"),
        ([(-3, b"", False, [b"a"])] * 128, "too many heads"),
        ([(-3, b"", False, [bytes([n])]) for n in range(65)], "too many sets"),
        ([(-3, b"", False, [bytes(range(256))])] * 9, "too many heads"),
    ],
)
def test_more_heads_than_there_is_room_for_are_refused(heads, problem):
    """When a sieve is made, and not while it runs."""
    sieve = type(make_sieve((), finds=True))
    with pytest.raises(ValueError, match=problem):
        sieve([], heads, frozenset(), fold)


def stands(head: Head, folded: bytes, at: int) -> bool:
    """Say what the sieve says of a head, in plain words."""
    if head.around:
        before = folded[at - 1 : at] if at else b""
        if (before != b"" and before in head.around) == head.negative:
            return False
    piece = folded[at : at + len(head.shape)]
    return len(piece) == len(head.shape) and all(
        byte in members for byte, members in zip(piece, head.shape, strict=True)
    )


def test_a_detector_may_not_sift():
    """The sieve is at work; and it goes on working afterwards."""
    seen = []

    def examine(text, at):
        with pytest.raises(RuntimeError, match="in use"):
            sieve.sift(["x"])
        seen.append(at)

    sieve = make_sieve([Detector("x", triggers(b"boom"), examine)], finds=True)
    assert sieve.sift(["é boom", "boom"]) == ({}, 0, 0, [])
    assert seen == [2, 0]


def test_a_list_that_shrinks_meanwhile_is_walked_to_its_end():
    """And not beyond it."""
    texts = ["boom", "x", "y"]
    shrink = Detector("x", triggers(b"boom"), lambda text, at: texts.clear())
    assert make_sieve([shrink], finds=True).sift(texts) == ({}, 0, 0, [])


@pytest.mark.parametrize("text", [None, b"x", 5])
def test_what_is_no_text_is_refused(text):
    """As the stage then withholds."""
    with pytest.raises(TypeError):
        make_sieve(build(DEFAULT), finds=True).sift([text])
