"""Messages that are structured themselves, behind a syslog header: told apart and read.

The header's pattern ends in MESSAGE_HINT, which looks at the first characters of the message
while it is there anyway; so a message in prose costs nothing more.
"""

import re
from typing import Final

from logopsd.errors import PayloadError
from logopsd.parsing import json_text
from logopsd.parsing.cisco import read_cisco
from logopsd.parsing.normalize import Normalizer
from logopsd.parsing.timestamps import Stamps
from logopsd.records import Record

MESSAGE_HINT: Final = r"(?:(?=(\{|@cee:|%[A-Z]|[0-9]{0,10}:[ A-Z*.]|[*.][A-Z])))?+"
"""Pattern whose one group says how a structured message starts, and is None for any other."""

_MESSAGE: Final = re.compile(rf" ?+\ufeff?+{MESSAGE_HINT}(.*)", re.DOTALL)
_COOKIE: Final = re.compile(r"@cee: ?+")


def match_message(text: str, start: int) -> tuple[str, str]:
    """Return the hint, or an empty text, and the message that stands at `start`, behind a blank."""
    match = _MESSAGE.match(text, start)
    assert match is not None  # it matches anything
    hint, msg = match.groups("")
    return hint, msg


class MessageReader:
    """Reads structured messages into the fields of their records.

    Args:
        stamps: converts the stamps, shared by all parsers.
        normalizer: lifts the fields of a payload, likewise.
    """

    def __init__(self, stamps: Stamps, normalizer: Normalizer) -> None:
        self._stamps = stamps
        self._normalizer = normalizer

    def read(self, record: Record, hint: str) -> None:
        """Read the message of a record, which MESSAGE_HINT matched as `hint`.

        A message that is not what it starts like stays as it is. Where the header had no time or
        no level, `ts` or `level` is empty, and filled if the message has one.
        """
        if hint in ("{", "@cee:"):
            self._read_json(record)
        else:
            read_cisco(record, self._stamps)

    def _read_json(self, record: Record) -> None:
        """Lift the fields of a JSON object, also behind the cookie of Common Event Expression."""
        cookie = _COOKIE.match(record.msg)
        text = record.msg[cookie.end() :] if cookie else record.msg
        try:
            payload = json_text.decode(text)
        except PayloadError:
            return
        if isinstance(payload, dict):
            self._normalizer.lift(record, payload)
