"""Tokens: both ways against `cryptography.fernet`, and what must never show."""

import base64
import os
import traceback

import pytest
from cryptography.fernet import Fernet, MultiFernet
from hypothesis import given
from hypothesis import strategies as st

from logopsd.errors import PrivacyError, TokenError
from logopsd.privacy.tokens import TokenMaker, check_key, new_key
from tests.privacy.helpers import KEY, NOW, maker

OLD = new_key(os.urandom)
FERNET = Fernet(KEY)
MAKER = maker()


@given(st.lists(st.text(max_size=70), max_size=12), st.integers(0, 2**33))
def test_fernet_opens_what_a_batch_encrypts(texts, now):
    """Each token of a batch is an ordinary Fernet token with the batch's time."""
    tokens = MAKER.encrypt_many(texts, now)
    assert [FERNET.decrypt(token).decode() for token in tokens] == texts
    assert all(FERNET.extract_timestamp(token) == now for token in tokens)


@given(st.text(max_size=70))
def test_tokens_of_fernet_are_opened(text):
    """What `Fernet.encrypt` made opens too."""
    assert MAKER.decrypt(FERNET.encrypt(text.encode()).decode()) == text


@given(st.lists(st.text(st.characters(), max_size=40), max_size=8))
def test_batch_agrees_with_the_one_by_one_reference(texts):
    """Both ways give tokens of one length that open to the same text, lone surrogates included."""
    many = MAKER.encrypt_many(texts, NOW)
    single = [MAKER.encrypt_one(text, NOW) for text in texts]
    assert [MAKER.decrypt(token) for token in many] == texts
    assert [MAKER.decrypt(token) for token in single] == texts
    assert [len(token) for token in many] == [len(token) for token in single]


@given(st.integers(0, 200))
def test_length_follows_the_specification(length):
    """A token of n bytes is 4 * ceil((57 + 16 * (n // 16 + 1)) / 3) characters long."""
    (token,) = MAKER.encrypt_many(["x" * length], NOW)
    assert len(token) == 4 * -(-(57 + 16 * (length // 16 + 1)) // 3)


def test_equal_texts_in_one_batch_share_no_block():
    """Each token has an IV of its own, so that equal texts do not show."""
    tokens = [base64.urlsafe_b64decode(t) for t in MAKER.encrypt_many(["same text" * 9] * 50, NOW)]
    blocks = [raw[at : at + 16] for raw in tokens for at in range(9, len(raw) - 32, 16)]
    assert len(set(blocks)) == len(blocks)


def test_iv_is_never_the_random_block_nor_the_block_before():
    """The random block goes through the cipher, and no IV is known before its message is fixed."""
    drawn = []

    def random_bytes(count):
        drawn.append(os.urandom(count))
        return drawn[-1]

    tokens = TokenMaker([KEY], random_bytes=random_bytes).encrypt_many(["a", "b"], NOW)
    raw = [base64.urlsafe_b64decode(token) for token in tokens]
    assert raw[0][9:25] not in drawn[0]
    assert raw[1][9:25] not in drawn[0] + raw[0]


def test_old_keys_open_and_only_the_first_encrypts():
    """After a rotation old tokens open, new ones are under the new key, and rotate moves them."""
    old_token = maker(OLD).encrypt_many(["secret"], NOW)[0]
    both = maker(KEY, OLD)
    assert both.decrypt(old_token) == "secret"
    assert FERNET.decrypt(both.encrypt_many(["new"], NOW)[0]) == b"new"
    moved = both.rotate(old_token)
    assert FERNET.decrypt(moved) == b"secret"
    assert FERNET.extract_timestamp(moved) == NOW


@pytest.mark.parametrize("token", ["", "gAAAA", "not a token", "ł", "gAAAAA=="])
def test_what_is_no_token_is_a_token_error(token):
    """Anything that does not open raises TokenError, and nothing else."""
    with pytest.raises(TokenError):
        MAKER.decrypt(token)
    with pytest.raises(TokenError):
        MAKER.rotate(token)


def test_altered_token_and_foreign_key_are_refused():
    """A flipped bit and a wrong key look the same: no key opens it."""
    token = MAKER.encrypt_many(["secret"], NOW)[0]
    altered = token[:-4] + ("A" if token[-4] != "A" else "B") + token[-3:]
    with pytest.raises(TokenError):
        MAKER.decrypt(altered)
    with pytest.raises(TokenError):
        maker(OLD).decrypt(token)


@pytest.mark.parametrize(
    "key",
    ["", "short", KEY[:-1], KEY + "=", KEY.replace("=", "!"), "ż" * 44],
    ids=["empty", "short", "unpadded", "padded twice", "not base64", "not ascii"],
)
def test_bad_key_is_refused_without_being_shown(key):
    """The error names the mend and never the key."""
    with pytest.raises(PrivacyError, match="keygen") as caught:
        check_key(key)
    assert not key or key not in str(caught.value)


def test_no_key_is_refused():
    """Encryption without a key is a refusal, not a silent off."""
    with pytest.raises(PrivacyError, match="keygen"):
        TokenMaker([], random_bytes=os.urandom)


def test_keys_show_neither_in_repr_nor_in_a_traceback():
    """What a log of an error may hold gives no key away."""
    assert KEY not in repr(MAKER)
    try:
        MAKER.decrypt("x")
    except TokenError:
        assert KEY not in traceback.format_exc()


def test_new_keys_fit_fernet():
    """A made key is one that cryptography takes."""
    key = new_key(os.urandom)
    check_key(key)
    assert MultiFernet([Fernet(key)]).decrypt(Fernet(key).encrypt(b"x")) == b"x"
