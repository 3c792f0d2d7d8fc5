"""Pseudonyms: equal for equal values, stable, per detector, and no way back without the key."""

import ipaddress
import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logopsd.errors import PrivacyError
from logopsd.privacy import pseudonyms as module
from logopsd.privacy.detectors import NAMES, build
from logopsd.privacy.masking import Masker
from logopsd.privacy.pseudonyms import Pseudonyms
from logopsd.privacy.stage import PrivacyStage
from logopsd.privacy.tokens import new_key
from tests.privacy.helpers import KEY, batch, maker, record

ALL = [name for name in NAMES if not name.endswith("_named")]
PSEUDONYMS = Pseudonyms(KEY)
MASKER = Masker(build(ALL), PSEUDONYMS)
TAG = re.compile(r"<([0-9a-z])([0-9a-f]{2}):([0-9a-f]{12})>")


def tags(text):
    """Give the tags in a masked text."""
    return TAG.findall(MASKER.mask_text(text))


def test_the_tag_stands_behind_the_value():
    """Letter, key id, 48 bits; behind the domain of a mail address."""
    masked = MASKER.mask_text("to jan@example.com at 83.11.2.3!")
    assert TAG.sub("#", masked) == "to j***@example.com# at 83.11.x.x#!"
    assert [letter for letter, _, _ in TAG.findall(masked)] == ["e", "4"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Jan@Example.com", "jan@example.COM"),
        ("jan@example.com", "x=jan%40example.com&"),
        ("jan@example.com", r"jan\u0040example.com"),
        ("83.11.2.3", "083.011.002.003"),
        ("83.11.2.3", "::ffff:83.11.2.3"),
        ("83.11.2.3", "::ffff:530b:203"),
        ("83.11.2.3", "83-11-2-3.dialup.example"),
        ("2a02:a31c::1", "2A02:A31C:0:0:0:0:0:1"),
        ("4111111111111111", "4111-1111-1111-1111"),
        ("PL61109010140000071219812874", "PL61 1090 1014 0000 0712 1981 2874"),
        ("5c:50:15:01:02:03", "5C-50-15-01-02-03"),
        ("+48601700867", "+48 601 700 867"),
        ("219-09-9999", "ssn: 219 09 9999"),
        ("44051401359", "pesel: 44051401359"),
    ],
)
def test_one_value_has_one_pseudonym_however_it_is_written(one, other):
    """Values are brought to a normal form first."""
    assert len(tags(one)) == 1
    assert tags(one) == tags(other)


def test_values_detectors_and_keys_are_told_apart():
    """Another value, another kind of value and another key give another pseudonym."""
    other = Masker(build(ALL), Pseudonyms(new_key(os.urandom)))
    assert tags("a@b.co") != tags("c@b.co") != tags("a@b.com")
    assert other.mask_text("a@b.co") != MASKER.mask_text("a@b.co")
    assert Masker(build(ALL), Pseudonyms(KEY)).mask_text("a@b.co") == MASKER.mask_text("a@b.co")


def test_secrets_have_none():
    """A password must not be tried out against its pseudonym."""
    assert MASKER.mask_text("password=hunter2") == "password=***"


PIECES = ["a@b.co", " ", "83.11.2.3", ".dialup.isp.example", ",", "x", "4111111111111111", "@"]


@given(st.lists(st.sampled_from([*PIECES, "::1:2a02:a31c:3"]), max_size=8).map("".join))
def test_joined_agrees_and_tags_are_not_masked_again(text):
    """Both ways tag alike, and a tagged text stays as it is."""
    once = MASKER.mask_text(text)
    changed, _ = MASKER.mask_many([text, "x", text])
    assert changed == ({0: once, 2: once} if once != text else {})


def test_tagged_text_stays():
    """Masking again neither masks nor tags once more."""
    once = MASKER.mask_text("jan@example.com, 83.11.2.3 and 2a02:a31c::1 a@4.3.2.1.dialup.example")
    assert once.count("<") == 5
    assert MASKER.mask_text(once) == once


def test_named_fields_have_it_beside_them():
    """A field holds its mask alone; a sender's own key of that name is kept aside."""
    stage = PrivacyStage(
        pseudonyms=PSEUDONYMS, encrypt_fields=["user_email", "n", "peer", "none", "host"],
        mask_fields=["peer", "host"],
    )  # fmt: skip
    one = record(
        "m",
        peer="83.11.2.3",
        host="web1",
        extras={"user_email": "jan@example.com", "n": 5, "user_email_pid": "own", "none": "clean"},
    )
    two = record("m", peer="83.11.2.3", host="83.11.2.3")
    stage.apply(batch(one, two))
    assert one.extras["user_email"] == "j***@example.com"
    assert re.fullmatch(r"e[0-9a-f]{2}:[0-9a-f]{12}", one.extras["user_email_pid"])
    assert one.extras["user_email_pid_orig"] == "own"
    assert one.peer == two.peer == two.host == "83.11.x.x"
    assert one.extras["peer_pid"] == two.extras["peer_pid"] == two.extras["host_pid"]
    assert set(one.extras) == {
        "user_email", "n", "user_email_pid", "user_email_pid_orig", "none", "peer_pid",
    }  # fmt: skip


def test_pseudonyms_and_tokens_stand_side_by_side():
    """The token still holds the original."""
    tokens = maker()
    one = record("jan@example.com", extras={"user_email": "jan@example.com"})
    PrivacyStage(pseudonyms=PSEUDONYMS, tokens=tokens).apply(batch(one))
    assert tokens.decrypt(one.extras["user_email_enc"]) == "jan@example.com"
    assert tokens.decrypt(one.msg_enc) == "jan@example.com"
    assert one.extras["user_email_pid"] in one.msg


ADDRESSES = st.integers(0, 2**32 - 1)


@given(ADDRESSES, ADDRESSES)
def test_prefix_pseudonyms_share_as_many_bits_as_the_addresses(one, other):
    """Crypto-PAn's property: neither fewer leading bits in common, nor more."""
    prefix = Pseudonyms(KEY, ip="prefix")

    def mapped(number):
        address = str(ipaddress.IPv4Address(number))
        tag = prefix.tag("ipv4", address, 0, len(address))[1]
        return int(tag[5:-1], 16)

    assert (one ^ other).bit_length() == (mapped(one) ^ mapped(other)).bit_length()


def test_prefix_pseudonyms_in_a_text():
    """Eight digits, which no detector takes for an address."""
    masker = Masker(build(ALL), Pseudonyms(KEY, ip="prefix"))
    once = masker.mask_text("83.11.2.3 and 2a02:a31c::1")
    assert re.fullmatch(r"83\.11\.x\.x<4..:[0-9a-f]{8}> and 2a02:.*<6..:[0-9a-f]{12}>", once)
    assert masker.mask_text(once) == once


def test_memory_is_bounded(monkeypatch):
    """A sender who makes up addresses fills no memory."""
    monkeypatch.setattr(module, "_KNOWN_LIMIT", 10)
    made = Pseudonyms(KEY)
    for number in range(40):
        text = f"a{number}@b.co"
        made.tag("email", text, 0, text.index("@") + 1)
        assert len(made._known) <= 10


def test_a_mail_address_without_its_domain_has_one_still():
    """Whatever stands behind a claim, a pseudonym is given."""
    assert PSEUDONYMS.tag("email", "jan@", 0, 4) is not None


def test_a_bad_key_is_refused_and_a_good_one_does_not_show():
    """The key shows in no error and no repr."""
    with pytest.raises(PrivacyError, match="keygen"):
        Pseudonyms("short")
    assert KEY not in repr(PSEUDONYMS)
    assert repr(PSEUDONYMS) == f"Pseudonyms(key_id='{PSEUDONYMS.key_id}')"
