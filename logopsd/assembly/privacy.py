"""Makes the privacy stage, and what opens its tokens, from the settings.

`cryptography` is loaded only where there is a key: a daemon without one does without it.
"""

import os
from typing import TYPE_CHECKING

import msgspec

from logopsd.config import Settings
from logopsd.errors import PrivacyError
from logopsd.privacy.stage import Encrypter, PrivacyStage

if TYPE_CHECKING:
    from logopsd.keys.day_keys import DayKeys
    from logopsd.privacy.pseudonyms import Pseudonyms


class Privacy(msgspec.Struct, frozen=True):
    """The stage, and the day keys it needs.

    Attributes:
        stage: masks and encrypts.
        day_keys: to be kept ready while the daemon runs; None where there are none.
    """

    stage: PrivacyStage
    day_keys: "DayKeys | None"


def privacy(settings: Settings, now: float) -> Privacy:
    """Make the stage; with a key a day, today's is on the disk when this returns.

    Args:
        settings: valid ones.
        now: seconds since the epoch.

    Raises:
        PrivacyError: the day's key cannot be kept or read; with the mend.
    """
    day_keys: DayKeys | None = None
    tokens: Encrypter | None = None
    if settings.encrypt_pii:
        from logopsd.privacy.tokens import TokenMaker

        if settings.key_per_day:
            day_keys = openers(settings)
            day_keys.keep(now)
            tokens = day_keys.tokens
        else:
            tokens = TokenMaker(_keys(settings), random_bytes=os.urandom)
    stage = PrivacyStage(
        detectors=settings.pii_detectors,
        tokens=tokens,
        encrypt_fields=settings.encrypt_fields,
        encrypt_msg=settings.encrypt_msg,
        mask_fields=settings.mask_fields,
        keep=settings.pii_keep,
        pseudonyms=_pseudonyms(settings),
    )
    return Privacy(stage, day_keys)


def openers(settings: Settings) -> "DayKeys":
    """Make what opens tokens of any time: of the day keys there are, and of all keys set.

    Raises:
        PrivacyError: no key is set.
    """
    from logopsd.keys.day_keys import DayKeys
    from logopsd.keys.files import DayKeyFiles
    from logopsd.privacy.tokens import TokenMaker

    if not settings.keys:
        raise PrivacyError(
            "no key is set; give LOGOPS_SECRET_KEY, LOGOPS_SECRET_KEY_FILE, or --env-file"
        )
    primary = TokenMaker(_keys(settings), random_bytes=os.urandom)
    return DayKeys(DayKeyFiles(settings.key_dir), primary)


def _keys(settings: Settings) -> tuple[str, ...]:
    """The primary key, and those that only open."""
    return tuple(dict.fromkeys(settings.keys + settings.secret_keys_old))


def _pseudonyms(settings: Settings) -> "Pseudonyms | None":
    if not settings.pii_pseudonym:
        return None
    from logopsd.privacy.pseudonyms import Pseudonyms

    return Pseudonyms(settings.keys[0], ip=settings.pii_ip)
