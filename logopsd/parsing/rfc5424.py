"""RFC 5424 messages: `<PRI>VERSION TIMESTAMP HOST APP PROCID MSGID SD MSG`.

The header is matched by one pattern, which knows the usual stamp only. What it does not match is
looked at again more patiently: unusual stamps, and the shapes that well-known senders make of the
format without keeping to it. Nothing that can be read is given up because of what cannot.
"""

import re
from typing import Any, Final

from logopsd.parsing.messages import MESSAGE_HINT, MessageReader, match_message
from logopsd.parsing.normalize import complete
from logopsd.parsing.priority import PRIORITIES, set_priority
from logopsd.parsing.structured_data import (
    ONE_PARAMETER,
    STRUCTURED_DATA,
    parse_structured_data,
)
from logopsd.parsing.timestamps import Stamp, Stamps
from logopsd.patterns import lazy_pattern
from logopsd.records import Batch, Record

_PRI_VERSION: Final = r"<([0-9]{1,3})>([1-9][0-9]{0,2}) ++"
_WORD: Final = r"([^ ]++) ++"
_MSG: Final = rf"(?: \ufeff?+{MESSAGE_HINT}(.*)|\Z)"

_USUAL: Final = lazy_pattern(
    r"<([0-9]{1,3})>[1-9][0-9]{0,2} "
    + r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?>(\.[0-9]{1,6}+)?)[0-9]*+"
    + r"(Z|[+-][0-9]{2}:[0-9]{2}) "
    + (_WORD * 4 + rf"(?:-|{ONE_PARAMETER}|({STRUCTURED_DATA}))" + _MSG),
    re.DOTALL,
)
# The header behind the stamp.
_REST: Final = lazy_pattern(r" ++" + _WORD * 4 + rf"(-|{STRUCTURED_DATA})" + _MSG, re.DOTALL)
_PRI: Final = lazy_pattern(_PRI_VERSION)
_EPOCH: Final = lazy_pattern(r"[0-9]{9,10}\.[0-9]{1,9}(?= )")
_STAMP_WORD: Final = lazy_pattern(r"[^ ]++(?= )")
# What is left of a header without structured data, or with a malformed one.
_HOST_APP: Final = lazy_pattern(r" ++([^ ]++)(?>(?: ++([^ ]++))?)")
_PROCID_MSGID: Final = lazy_pattern(
    r" ++(-|[0-9]{1,10}|[a-z]{1,16}\.[0-9]{1,10})(?>(?: ++(-)(?= |\Z))?)(?= |\Z)"
)
_PROCID_MSGID_BRACKET: Final = lazy_pattern(r" ++([^ ]++) ++([^ ]++)(?= ++\[)")


class Rfc5424Parser:
    """Reads RFC 5424 messages.

    Args:
        stamps: converts the stamps, shared by all parsers.
        messages: reads structured messages, likewise.
    """

    def __init__(self, stamps: Stamps, messages: MessageReader) -> None:
        self._stamps = stamps
        self._messages = messages

    def parse(self, text: str, peer: str | None, batch: Batch, emitter: str) -> Record | None:
        """Return the record of a line, or None where it is no RFC 5424 message.

        Args:
            text: the line, starting with `<`.
            peer: the sender's address.
            batch: for its time and input; what is missing is counted in it.
            emitter: who is named as the producer where the header names none.
        """
        match = _USUAL.match(text)
        if match is None:
            return self._parse_unusual(text, peer, batch, emitter)
        pri, second, fraction, zone, host, app, procid, msgid, name, key, value, sd, hint, msg = (
            match.groups()
        )
        base = self._stamps.iso[second + zone]
        known = PRIORITIES.get(pri)
        if not base or known is None:
            return self._parse_unusual(text, peer, batch, emitter)
        data = None
        if name is not None:
            data = {name: {key: value}}
        elif sd is not None:
            data = parse_structured_data(sd)
        facility, severity, level = known
        record = Record(
            f"{base}{fraction or ''}Z",
            level,
            msg or "",
            None,
            emitter if app == "-" else app,
            facility,
            severity,
            None if host == "-" else host,
            None if app == "-" else app,
            None if procid == "-" else procid,
            None if msgid == "-" else msgid,
            data,
            batch.input,
            peer,
            batch.received,
            "rfc5424",
        )
        if hint is not None:
            self._messages.read(record, hint)
        return record

    def _parse_unusual(
        self, text: str, peer: str | None, batch: Batch, emitter: str
    ) -> Record | None:
        match = _PRI.match(text)
        if match is None:
            return None
        stamp, end, ts_orig = self._read_stamp(text, match.end())
        header = _read_header(text, end, whole=ts_orig is not None)
        # A number and a blank behind the PRI alone do not make a line RFC 5424.
        if header is None or (stamp is None and match[2] != "1"):
            return None
        host, app, procid, msgid, sd, hint, msg = header
        record = Record(
            stamp.ts if stamp else "",
            "",
            msg,
            emitter=app or emitter,
            host=host,
            app=app,
            procid=procid,
            msgid=msgid,
            sd=sd,
            input=batch.input,
            peer=peer,
            received=batch.received,
            format="rfc5424",
            guessed=stamp.guessed if stamp else None,
            ts_orig=ts_orig,
        )
        set_priority(record, match[1])
        if hint:
            self._messages.read(record, hint)
        complete(record, batch)
        return record

    def _read_stamp(self, text: str, start: int) -> tuple[Stamp | None, int, str | None]:
        """Return the stamp at `start`, where it ends, and its text if it is unreadable."""
        if text.startswith("- ", start):
            return None, start + 1, None
        stamp = self._stamps.scan(text, start)
        if stamp is not None and text.startswith(" ", stamp.end):
            return stamp, stamp.end, None
        epoch = _EPOCH.match(text, start)
        if epoch is not None:
            return self._stamps.read_epoch(epoch[0]), epoch.end(), None
        word = _STAMP_WORD.match(text, start)
        return (None, start, "") if word is None else (None, word.end(), word[0])


_Words = tuple[str | None, str | None, str | None, str | None]
_Header = tuple[*_Words, dict[str, dict[str, Any]] | None, str, str]


def _read_header(text: str, start: int, *, whole: bool) -> _Header | None:
    """Return host, app, procid, msgid, sd, hint and msg of what stands behind the stamp.

    Args:
        text: the line.
        start: where the stamp ends.
        whole: whether only a header without fault is taken for one.
    """
    match = _REST.match(text, start)
    if match is not None:
        host, app, procid, msgid, sd, hint, msg = match.groups("")
        data = None if sd == "-" else parse_structured_data(sd)
        return _nil(host), _nil(app), _nil(procid), _nil(msgid), data, hint, msg
    if whole:
        return None
    return _read_poor_header(text, start)


def _read_poor_header(text: str, start: int) -> _Header:
    """Take the header words there are; structured data that is malformed stays in msg.

    Heroku leaves the structured data out, Check Point writes it with `:` for `=`, Meraki sends
    host and a kind of event only. PROCID and MSGID are taken where they cannot be words of the
    message: before a bracket, or where they are a number, a dyno (`web.1`) or `-`.
    """
    words = _HOST_APP.match(text, start)
    if words is None:
        return None, None, None, None, None, "", text[start:].lstrip(" ")
    host, app = words.groups()
    end = words.end()
    more = _PROCID_MSGID_BRACKET.match(text, end) or _PROCID_MSGID.match(text, end)
    procid, msgid = more.groups() if more else (None, None)
    hint, msg = match_message(text, more.end() if more else end)
    return _nil(host), _nil(app), _nil(procid), _nil(msgid), None, hint, msg


def _nil(word: str | None) -> str | None:
    return None if word == "-" else word
