"""The end of a message that was cut at the limit: what the cut may have halved is left out.

Half an address is no address, so nothing would mask it: of `jan.kowalski@example.com` there may be
`jan.kowalski@exam`, of a card 15 digits of 16.
"""

from typing import Final

from logopsd.records import Record

REACH: Final = 320
"""Characters that are looked at, from the end: an e-mail address has at most 254 of them
(RFC 5321 section 4.5.3.1.3)."""

_SEPARATORS: Final = ' \t\n\r\0",;<>|&'
"""What ends a word; what may stand within an address or a secret is not among them."""

_GROUPS: Final = "0123456789 -"
"""What a card or an account is made of, where it is written in groups."""


def without_halves(text: str) -> str:
    """Leave out the last word of a text that was cut, and groups of digits before it.

    At most REACH characters go, and never more than half of the text.
    """
    keep = len(text) - min(REACH, len(text) // 2)
    end = max(text.rfind(separator, keep) for separator in _SEPARATORS)
    return text[:keep] + text[keep : max(end, keep)].rstrip(_GROUPS)


def cut_message(record: Record, limit: int) -> None:
    """Cut the message of a record that has more than `limit` bytes in UTF-8, and say so."""
    data = record.msg.encode(errors="replace")
    if len(data) > limit:
        record.msg = without_halves(data[:limit].decode(errors="ignore"))
        record.truncated = True
        record.original_length = len(data)
