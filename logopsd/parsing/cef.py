r"""CEF and LEEF: events of security products, a header in bars and `key=value` behind it.

`CEF:0|Vendor|Product|Version|Signature ID|Name|Severity|src=10.0.0.1 msg=two words`, where a value
lasts until the next ` key=`, and `\|`, `\=`, `\\`, `\n` are escapes.
`LEEF:1.0|Vendor|Product|Version|Event ID|src=10.0.0.1<TAB>sev=5`, and as `LEEF:2.0` with one more
field that names what stands between two attributes.

Sources: Micro Focus ArcSight, Implementing CEF; IBM, LEEF event components.
"""

import re
from typing import Any, Final

from logopsd.parsing.normalize import add_field, attach, to_text
from logopsd.parsing.timestamps import Stamps
from logopsd.patterns import lazy_pattern, possessive
from logopsd.records import Record

_PART: Final = "(" + possessive(r"(?:[^|\\]|\\.)", "*") + r")\|"
_CEF: Final = lazy_pattern(rf"CEF: ?([0-9.]{{1,8}})\|{_PART * 6}", re.DOTALL)
_CEF_NAMES: Final = (
    *("cef_version", "device_vendor", "device_product", "device_version"),
    *("signature_id", "name", "device_severity"),
)
_LEEF: Final = lazy_pattern(
    r"LEEF: ?([0-9.]{1,8})\|([^|]*+)\|([^|]*+)\|([^|]*+)\|([^|]*+)\|"
    r"(?:(?:0?x([0-9A-Fa-f]{1,4})|([^|\s\w])|(\\t))?\|)?"
)
_LEEF_NAMES: Final = (
    *("leef_version", "device_vendor", "device_product", "device_version", "event_id"),
)
_KEY: Final = lazy_pattern(r"(?:\A|(?<=\s))([\w.\[\]-]{1,100}+)=")
_ESCAPE: Final = lazy_pattern(r"\\([\\=|nrt])")
_ESCAPED: Final = {"n": "\n", "r": "\r", "t": "\t"}

_TIMES: Final = ("rt", "devTime", "end", "start")
"""The fields that may hold the time, the first readable one is taken."""

_WORDS: Final = {
    **dict.fromkeys(("unknown", "low"), "INFO"),
    "medium": "WARN",
    "high": "ERROR",
    "very-high": "CRITICAL",
    "very high": "CRITICAL",
}
# 0 to 10: 0-3 low, 4-6 medium, 7-8 high, 9-10 very high.
_NUMBERS: Final = ("INFO",) * 4 + ("WARN",) * 3 + ("ERROR",) * 2 + ("CRITICAL",) * 2


def read_cef(record: Record, stamps: Stamps) -> bool:
    """Read the message of a record as CEF; return whether it is.

    The header and the extension become fields; the extension's `msg` becomes the message, else
    the name of the event.
    """
    match = _CEF.match(record.msg)
    if match is None:
        return False
    fields: dict[str, Any] = dict(zip(_CEF_NAMES, map(_unescape, match.groups("")), strict=True))
    fields |= _read_pairs(record.msg[match.end() :])
    _fill(record, fields, fields["device_severity"], fields["name"], stamps)
    return True


def read_leef(record: Record, stamps: Stamps) -> bool:
    """Read the message of a record as LEEF; return whether it is.

    The header and the attributes become fields; the attribute `msg` becomes the message, else
    the event's ID.
    """
    match = _LEEF.match(record.msg)
    if match is None:
        return False
    *header, code, character, _ = match.groups()
    fields: dict[str, Any] = dict(zip(_LEEF_NAMES, header, strict=True))
    delimiter = chr(int(code, 16)) if code else character or "\t"
    attributes = record.msg[match.end() :]
    if delimiter in attributes:
        for number, item in enumerate(attributes.split(delimiter)):
            key, equals, value = item.partition("=")
            _add(fields, key.strip() if equals else f"attribute_{number}", value if equals else key)
    else:
        fields |= _read_pairs(attributes)
    _fill(record, fields, str(fields.get("sev", "")), fields["event_id"], stamps)
    return True


def _read_pairs(text: str) -> dict[str, Any]:
    """Return the pairs of an extension; what stands before the first is kept as `extension`."""
    fields: dict[str, Any] = {}
    key, start = "extension", 0
    for match in _KEY.finditer(text):
        _add(fields, key, text[start : match.start()].strip())
        key, start = match[1], match.end()
    _add(fields, key, text[start:].strip())
    return fields


def _add(fields: dict[str, Any], key: str, value: str) -> None:
    if value or key != "extension":
        add_field(fields, key, _unescape(value))


def _unescape(text: str) -> str:
    if "\\" not in text:
        return text
    return _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[1]), text)


def _fill(record: Record, fields: dict[str, Any], severity: str, name: str, stamps: Stamps) -> None:
    record.msg = to_text(fields.pop("msg", None) or name)
    if record.app is None and fields["device_product"]:
        record.app = record.emitter = fields["device_product"]
    if not record.ts:
        stamp = next(filter(None, (stamps.read(fields.get(key)) for key in _TIMES)), None)
        if stamp is not None:
            record.ts, record.guessed, _ = stamp
    if not record.level:
        record.level = _level(severity)
    attach(record, fields)


def _level(severity: str) -> str:
    if severity.isascii() and severity.isdigit() and len(severity) <= 2 and int(severity) <= 10:
        return _NUMBERS[int(severity)]
    return _WORDS.get(severity.lower(), "")
