"""RFC 3164 (BSD) messages: `<PRI>Mmm dd hh:mm:ss HOST TAG[PID]: MSG`, with any part missing.

The rules for what is the host and what the tag are those that receivers have come to share:

- HOST is a word of letters, digits, `.`, `_` and `-` that ends in a letter or digit, or an IPv6
  address, and a blank follows it. journald sends none: `Mmm dd hh:mm:ss ident[pid]: msg`.
- TAG is a word that ends in `:` and a blank, or in `[pid]`. Without one, all is message.
- Behind the PRI a `{` or `[` starts the message, and there is no header.
"""

import re
from typing import Final

from logopsd.parsing.level_search import find_level
from logopsd.parsing.messages import MESSAGE_HINT, MessageReader
from logopsd.parsing.normalize import complete
from logopsd.parsing.priority import FACILITIES, PRIORITIES, SEVERITIES, level_of, set_priority
from logopsd.parsing.timestamps import GUESSED_YEAR_AND_ZONE, Stamp, Stamps
from logopsd.parsing.vendor_headers import read_f5
from logopsd.patterns import lazy_pattern
from logopsd.records import Batch, Record

# "last message repeated 3 times" may stand without a host.
_HOST: Final = (
    r"(?>(?:(?!last message )([A-Za-z0-9._-]++(?<=[A-Za-z0-9])"
    r"|[0-9A-Fa-f]*+:[0-9A-Fa-f]*+:[0-9A-Fa-f:.]*+(?:%[\w.-]++|(?<=[0-9A-Fa-f])|(?<=::))) )?)"
)
# Digits and a colon are no tag but the count of a Cisco device, `1w2d:` is its uptime, and `%`
# starts its code.
_IDENT: Final = r"((?![0-9][0-9ywdhms]*+:)[^\s:\[{\"%]{1,128}+)"
_PID: Final = r"\[([^\s\[\]]{1,128}+)\](?::|(?<=[0-9]\])(?= ))"
_TAG: Final = rf"(?>(?:{_IDENT}(?::(?=\s|\Z)|{_PID}))?)"
_MSG: Final = rf" ?+\ufeff?+{MESSAGE_HINT}(.*)"
_BEHIND_STAMP: Final = _HOST + _TAG + _MSG

# What might be a zone or a year behind the stamp is looked at more closely elsewhere.
_BSD: Final = lazy_pattern(
    r"<([0-9]{1,3})>([A-Z][a-z]{2} [ 0-9][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2}) "
    r"(?![A-Z]{3,4}:? |[12][0-9]{3} |[+-][0-9]{2}:?[0-9]{2} |Message forwarded from )"
    + _BEHIND_STAMP,
    re.DOTALL,
)
# As rsyslog forwards with its own precise stamps, and VMware ESXi.
_ISO: Final = lazy_pattern(
    r"<([0-9]{1,3})>([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})"
    r"(?>(\.[0-9]{1,6}+)?)[0-9]*+(Z|[+-][0-9]{2}:[0-9]{2}) " + _BEHIND_STAMP,
    re.DOTALL,
)
_PRI: Final = lazy_pattern(r"<([0-9]{1,3})> *+")
_WITH_HOST: Final = lazy_pattern(r":?+ ++" + _BEHIND_STAMP, re.DOTALL)
# AIX: `Message forwarded from web1: sshd[7]: ...`
_FORWARDED: Final = lazy_pattern(r" Message forwarded from ([^\s:]++): ?" + _TAG + _MSG, re.DOTALL)
_WITHOUT_HOST: Final = lazy_pattern(r"()" + _TAG + _MSG, re.DOTALL)
# A stamp of the right form that names no instant, such as 30 February, is taken out all the same.
_STAMP_FORM: Final = lazy_pattern(
    r"(?:[A-Z][a-z]{2} )?[A-Z][a-z]{2} [ 0-9][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2}(?= )"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[^ ]{0,32}+(?= )"
)

# BusyBox and OpenWrt write facility and severity by name: `daemon.info dnsmasq[7]: ...`
_SEVERITY_NUMBERS: Final = {
    **{keyword: number for number, keyword in enumerate(SEVERITIES)},
    "panic": 0,
    "error": 3,
    "warn": 4,
}
_SELECTOR: Final = lazy_pattern(
    rf" (?:([A-Za-z0-9._-]{{1,255}}) )?({'|'.join(FACILITIES)})\.({'|'.join(_SEVERITY_NUMBERS)}) "
)


class Rfc3164Parser:
    """Reads BSD syslog messages.

    Args:
        stamps: converts the stamps, shared by all parsers.
        messages: reads structured messages, likewise.
    """

    def __init__(self, stamps: Stamps, messages: MessageReader) -> None:
        self._stamps = stamps
        self._messages = messages

    def parse(self, text: str, peer: str | None, batch: Batch, emitter: str) -> Record | None:
        """Return the record of a line with PRI and usual stamp, or None.

        Args:
            text: the line, starting with `<`.
            peer: the sender's address.
            batch: for its time and input; what is missing is counted in it.
            emitter: who is named as the producer where there is no tag.
        """
        match = _BSD.match(text)
        if match is not None:
            pri, stamp, host, app, procid, hint, msg = match.groups()
            base = self._stamps.bsd[stamp]
            fraction = ""
            guessed = GUESSED_YEAR_AND_ZONE
        else:
            match = _ISO.match(text)
            if match is None:
                return None
            pri, second, fraction, zone, host, app, procid, hint, msg = match.groups()
            base = self._stamps.iso[second + zone]
            fraction = fraction or ""
            guessed = None
        known = PRIORITIES.get(pri)
        if not base or known is None:
            return None
        facility, severity, level = known
        record = Record(
            f"{base}{fraction}Z",
            level,
            msg,
            None,
            app or emitter,
            facility,
            severity,
            host,
            app,
            procid,
            None,
            None,
            batch.input,
            peer,
            batch.received,
            "rfc3164",
            guessed,
        )
        if hint is not None:
            self._messages.read(record, hint)
        elif app is None:
            read_f5(record)
        return record

    def parse_without_pri(
        self, text: str, peer: str | None, batch: Batch, emitter: str
    ) -> Record | None:
        """Return the record of a line as syslog daemons write it to a file, or None.

        A stamp, a host and a tag are wanted, or a stamp and a tag with its process: many a plain
        line starts with a stamp and some word.
        """
        if _STAMP_FORM.match(text) is None:
            return None
        stamp = self._stamps.scan(text)
        if stamp is None:
            return None
        selector = _SELECTOR.match(text, stamp.end)
        if selector is not None:
            host, facility, severity = selector.groups()
            match = _WITHOUT_HOST.match(text, selector.end())
            assert match is not None  # it matches anything
            pri = str(FACILITIES.index(facility) * 8 + _SEVERITY_NUMBERS[severity])
            record = self._record(match, stamp, pri, None, peer, batch, emitter)
            record.host = host
            return record
        match = _WITH_HOST.match(text, stamp.end)
        if match is None or not ((match[1] and (match[2] or match[4])) or match[3]):
            return None
        if level_of(match[1] or "") is not None:
            return None
        return self._record(match, stamp, None, None, peer, batch, emitter)

    def parse_unusual(
        self, text: str, peer: str | None, batch: Batch, emitter: str
    ) -> Record | None:
        """Return the record of a line whose header lacks something, or has it in another form.

        All that it wants is a PRI; without one it returns None.
        """
        pri = _PRI.match(text)
        if pri is None:
            return None
        start = pri.end()
        stamp = self._stamps.scan(text, start)
        ts_orig = None
        if stamp is not None and text.startswith((" ", ": "), stamp.end):
            match = _FORWARDED.match(text, stamp.end) or _WITH_HOST.match(text, stamp.end)
        elif (form := _STAMP_FORM.match(text, start)) is not None:
            stamp, ts_orig = None, form[0]
            match = _WITH_HOST.match(text, form.end())
        else:
            stamp = None
            match = _WITHOUT_HOST.match(text, start)
        assert match is not None  # both patterns match anything
        return self._record(match, stamp, pri[1], ts_orig, peer, batch, emitter)

    def _record(
        self,
        match: re.Match[str],
        stamp: Stamp | None,
        pri: str | None,
        ts_orig: str | None,
        peer: str | None,
        batch: Batch,
        emitter: str,
    ) -> Record:
        host, app, procid, hint, msg = match.groups()
        record = Record(
            "" if stamp is None else stamp.ts,
            "",
            msg,
            emitter=app or emitter,
            host=host or None,
            app=app,
            procid=procid,
            input=batch.input,
            peer=peer,
            received=batch.received,
            format="rfc3164",
            guessed=None if stamp is None else stamp.guessed,
            ts_orig=ts_orig,
        )
        if pri is not None:
            set_priority(record, pri)
        if hint is not None:
            self._messages.read(record, hint)
        elif app is None:
            read_f5(record)
        if pri is None and not record.level:
            record.level = find_level(record.msg) or ""
        complete(record, batch)
        return record
