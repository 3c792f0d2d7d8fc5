"""Messages that are structured themselves, behind a syslog header: told apart and read.

The header's pattern ends in MESSAGE_HINT, which looks at the first characters of the message
while it is there anyway; so a message in prose costs nothing more.
"""

import re
from string import hexdigits
from typing import Final

from logopsd.errors import PayloadError
from logopsd.parsing import json_text
from logopsd.parsing.access_log import read_access
from logopsd.parsing.cef import read_cef, read_leef
from logopsd.parsing.cisco import read_cisco
from logopsd.parsing.logfmt import read_logfmt
from logopsd.parsing.normalize import Normalizer
from logopsd.parsing.palo_alto import read_palo_alto
from logopsd.parsing.timestamps import Stamps
from logopsd.parsing.vendor_headers import read_snare, read_topics
from logopsd.patterns import lazy_pattern
from logopsd.records import Record

# Grouped by first character, as a branch more costs 0.02 us a line; `(?=...)` takes nothing.
_STARTS: Final = (
    *(r"\{", "@cee:"),  # JSON
    *("%[A-Z]", r"[*.][A-Z]"),  # Cisco
    # Cisco's count, an address before an access line, PAN-OS
    r"[0-9:,](?:(?<=:)[ A-Z*.]|[0-9ywdhms]{0,11}:[ A-Z*.]|[0-9A-Fa-f.:]*+ |,?[0-9]{4}/)",
    # an IPv6 address, CEF and LEEF, key=value, RouterOS, Snare
    r"[A-Za-z_](?:[\w.-]{0,63}+(?:=|,!?[a-z]|: ?[0-9]|\t(?:MSWinEventLog|[0-9]\t)"
    r"|:[0-9A-Fa-f:]*+ ))",
)
MESSAGE_HINT: Final = rf"(?>(?:(?=({'|'.join(_STARTS)})))?)"
"""Pattern whose one group says how a structured message starts, and is None for any other."""

_HEX_DIGITS: Final = frozenset(hexdigits)
_MESSAGE: Final = lazy_pattern(rf" ?+\ufeff?+{MESSAGE_HINT}(.*)", re.DOTALL)
_HINT: Final = lazy_pattern(MESSAGE_HINT)
_COOKIE: Final = lazy_pattern(r"@cee: ?+")


def match_message(text: str, start: int) -> tuple[str, str]:
    """Return the hint, or an empty text, and the message that stands at `start`, behind a blank."""
    match = _MESSAGE.match(text, start)
    assert match is not None  # it matches anything
    hint, msg = match.groups("")
    return hint, msg


def hint_of(msg: str) -> str:
    """Return the hint of a message, or an empty text."""
    match = _HINT.match(msg)
    assert match is not None  # likewise
    return match[1] or ""


class MessageReader:
    """Reads structured messages into the fields of their records.

    Args:
        stamps: converts the stamps, shared by all parsers.
        normalizer: lifts the fields of a payload, likewise.
    """

    def __init__(self, stamps: Stamps, normalizer: Normalizer) -> None:
        self._stamps = stamps
        self._normalizer = normalizer

    def read(self, record: Record, hint: str) -> bool:
        """Read the message of a record, which MESSAGE_HINT matched as `hint`.

        A message that is not what it starts like stays as it is. Where the header had no time or
        no level, `ts` or `level` is empty, and filled if the message has one.

        Returns:
            Whether the message was what it starts like.
        """
        first, last = hint[0], hint[-1]
        if first in "{@":
            return self._read_json(record)
        if last == "=":
            return read_logfmt(record, self._stamps, self._normalizer)
        if last == "/":
            return read_palo_alto(record, self._stamps)
        if "\t" in hint:
            return read_snare(record, self._stamps)
        if "," in hint:
            return read_topics(record)
        if first in "CL":
            return read_cef(record, self._stamps) or read_leef(record, self._stamps)
        if first in _HEX_DIGITS and read_access(record, self._stamps):
            return True
        return read_cisco(record, self._stamps)

    def _read_json(self, record: Record) -> bool:
        """Lift the fields of a JSON object, also behind the cookie of Common Event Expression."""
        cookie = _COOKIE.match(record.msg)
        text = record.msg[cookie.end() :] if cookie else record.msg
        try:
            payload = json_text.decode(text)
        except PayloadError:
            return False
        if not isinstance(payload, dict):
            return False
        self._normalizer.lift(record, payload)
        return True
