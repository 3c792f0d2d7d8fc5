"""A key for each day: wrapped, read back, wrapped anew, and forgotten."""

import os

import pytest

from logopsd.errors import PrivacyError, TokenError
from logopsd.privacy.daykeys import (
    KEPT_DAYS,
    DayTokens,
    day_of,
    day_of_token,
    rewrap,
    unwrap,
    wrap,
)
from logopsd.privacy.tokens import new_key
from tests.privacy.helpers import KEY, NOW, maker

DAY = 86400
OLD = new_key(os.urandom)


class Folder:
    """Key files, as a shell would keep them."""

    def __init__(self):
        self.files = {}
        self.primary = maker()

    def key_of_day(self, day, make):
        """Give a day's key; make one only where asked to."""
        if day not in self.files:
            if not make:
                raise TokenError(f"the key of {day} is gone")
            self.files[day] = wrap(new_key(os.urandom), day, self.primary, NOW)
        return unwrap(self.files[day], day, self.primary)

    def tokens(self, **options):
        """Make what a daemon holds after a start."""
        return DayTokens(self.key_of_day, random_bytes=os.urandom, **options)


def test_a_wrapped_key_is_read_back_and_never_shows():
    """The file holds one token, in which nothing of the key can be read."""
    key = new_key(os.urandom)
    contents = wrap(key, "20261123", maker(), NOW)
    assert key.encode() not in contents
    assert unwrap(contents, "20261123", maker()) == key


def test_a_key_file_of_another_day_or_key_is_refused():
    """A renamed file does not lend its key to another day."""
    contents = wrap(new_key(os.urandom), "20261123", maker(), NOW)
    with pytest.raises(TokenError, match="20261124"):
        unwrap(contents, "20261124", maker())
    with pytest.raises(TokenError):
        unwrap(contents, "20261123", maker(OLD))
    with pytest.raises(TokenError):
        unwrap(b"\xff torn", "20261123", maker())


def test_what_is_no_key_or_no_day_is_not_wrapped():
    """A mistake shows when the key is made, not when it is needed."""
    with pytest.raises(PrivacyError, match="keygen"):
        wrap("short", "20261123", maker(), NOW)
    with pytest.raises(ValueError, match="no day"):
        wrap(KEY, "2026-11-23", maker(), NOW)


def test_rotating_the_primary_key_keeps_the_days_key():
    """Only the small file is written anew; the tokens of the day still open."""
    key = new_key(os.urandom)
    contents = wrap(key, "20261123", maker(OLD), NOW)
    moved = rewrap(contents, "20261123", maker(KEY, OLD))
    assert unwrap(moved, "20261123", maker(KEY)) == key
    with pytest.raises(TokenError):
        unwrap(moved, "20261123", maker(OLD))


def test_each_day_has_a_key_of_its_own():
    """Tokens of two days open, each by its day's key, and by no other key."""
    folder = Folder()
    tokens = folder.tokens()
    one = tokens.encrypt_many(["a", "b"], NOW)
    two = tokens.encrypt_many(["c"], NOW + DAY)
    assert len(folder.files) == 2
    assert [folder.tokens().decrypt(token) for token in one + two] == ["a", "b", "c"]
    with pytest.raises(TokenError):
        folder.primary.decrypt(one[0])


def test_a_forgotten_day_opens_nowhere():
    """With the day's key file gone its tokens are gone, and those of other days are not."""
    folder = Folder()
    tokens = folder.tokens()
    (one,) = tokens.encrypt_many(["a"], NOW)
    (two,) = tokens.encrypt_many(["b"], NOW + DAY)
    del folder.files[day_of(NOW)]
    tokens.forget(day_of(NOW))
    tokens.forget("19700101")
    with pytest.raises(TokenError, match="gone"):
        tokens.decrypt(one)
    assert tokens.decrypt(two) == "b"


def test_tokens_from_before_there_were_day_keys_open():
    """Turning day keys on leaves the older files readable."""
    folder = Folder()
    (old,) = folder.primary.encrypt_many(["a"], NOW)
    assert folder.tokens(others=folder.primary).decrypt(old) == "a"


def test_ciphers_kept_ready_are_few():
    """A reader that goes through a year keeps a handful of days."""
    tokens = Folder().tokens()
    for day in range(3 * KEPT_DAYS):
        tokens.encrypt_many(["a"], NOW + day * DAY)
        assert len(tokens._makers) <= KEPT_DAYS


def test_the_day_of_a_token_is_read_without_a_key():
    """A token tells its day; what is none is refused."""
    (token,) = maker().encrypt_many(["a"], NOW)
    assert day_of_token(token) == day_of(NOW) == "20260921"
    for text in ("", "gAAA", "ż" * 20, "A" * 40, "gP__________" * 4):
        with pytest.raises(TokenError):
            day_of_token(text)


def test_keys_do_not_show():
    """What a log of the object may hold gives nothing away."""
    assert repr(Folder().tokens()) == "DayTokens(keys hidden)"
