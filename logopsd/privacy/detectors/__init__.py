"""The detectors of personal data, by family; `build` makes those that the settings name.

The order of NAMES is that of precedence: where two claim the same text, the first has it.
"""

from collections.abc import Callable, Mapping, Sequence

from logopsd.errors import PrivacyError
from logopsd.privacy.detectors.base import Detector, Keep
from logopsd.privacy.detectors.email import email
from logopsd.privacy.detectors.ip import ipv4

_MAKERS: Mapping[str, Callable[[Keep], Detector]] = {
    "email": email,
    "ipv4": ipv4,
}

NAMES = tuple(_MAKERS)
"""Every detector there is, in the order of precedence."""

DEFAULT = ("email", "ipv4")
"""Those that run where nobody chooses: shape or checksum makes an accident rare."""


def build(names: Sequence[str], keep: Sequence[str] = ()) -> tuple[Detector, ...]:
    """Make the named detectors, in the order of precedence whatever order they are named in.

    Args:
        names: of NAMES.
        keep: networks and mail domains that stay readable.

    Raises:
        PrivacyError: a name or an exemption that is none.
    """
    for name in names:
        if name not in _MAKERS:
            raise PrivacyError(f"{name!r} is no detector; there are {', '.join(NAMES)}")
    kept = Keep.parse(keep)
    return tuple(make(kept) for name, make in _MAKERS.items() if name in names)
