"""The detectors of personal data, by family; `build` makes those that the settings name."""

from collections.abc import Callable, Sequence

from logopsd.errors import PrivacyError
from logopsd.privacy.detectors import assignments, hardware, numbers, secrets
from logopsd.privacy.detectors.base import Detector, Keep
from logopsd.privacy.detectors.email import email
from logopsd.privacy.detectors.ip import ipv4
from logopsd.privacy.detectors.ipv6 import ipv6

_MAKERS: Sequence[tuple[str, Callable[[Keep], Detector]]] = (
    ("secret", lambda _: secrets.PRIVATE_KEY),
    ("secret", lambda _: secrets.URL_PASSWORD),
    ("jwt", lambda _: secrets.JWT),
    ("secret", lambda _: secrets.AUTHORIZATION),
    ("secret", lambda _: secrets.COOKIE),
    ("secret", lambda _: secrets.ELEMENT),
    ("secret", lambda _: secrets.SCHEME),
    ("secret", lambda _: assignments.ASSIGNMENT),
    ("secret", lambda _: assignments.OPTION),
    ("secret", lambda _: secrets.PREFIXED),
    # An IBAN in groups of four may hold what looks like a card; its checksum is the stronger one.
    ("iban", lambda _: numbers.IBAN),
    ("card", lambda _: numbers.CARD),
    ("email", email),
    ("mac", lambda _: hardware.MAC),
    ("ipv6", ipv6),
    ("ipv4", ipv4),
    ("pesel", lambda _: numbers.PESEL),
    ("pesel_named", lambda _: numbers.PESEL_NAMED),
    ("ssn", lambda _: numbers.SSN),
    ("ssn_named", lambda _: numbers.SSN_NAMED),
    ("phone", lambda _: numbers.PHONE),
)
"""What each name stands for, in the order of precedence: the first to claim a text has it."""

NAMES = tuple(dict.fromkeys(name for name, _ in _MAKERS))
"""Every detector there is."""

DEFAULT = (
    *("email", "ipv4", "ipv6", "card", "iban", "jwt", "secret"),
    *("pesel_named", "ssn_named"),
)
"""Those that run where nobody chooses: shape, checksum or a word make an accident rare."""


def build(names: Sequence[str], keep: Sequence[str] = ()) -> tuple[Detector, ...]:
    """Make the named detectors, in the order of precedence whatever order they are named in.

    Args:
        names: of NAMES.
        keep: networks and mail domains that stay readable.

    Raises:
        PrivacyError: a name or an exemption that is none.
    """
    for name in names:
        if name not in NAMES:
            raise PrivacyError(f"{name!r} is no detector; there are {', '.join(NAMES)}")
    kept = Keep.parse(keep)
    return tuple(make(kept) for name, make in _MAKERS if name in names)
