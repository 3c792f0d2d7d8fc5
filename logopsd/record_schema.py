"""The JSON Schema of a record, made from the Struct; `docs/record.schema.json` is its text.

`python -m logopsd.record_schema > docs/record.schema.json` makes it anew. The types and the order
are those of `logopsd.records.Record`; what a type does not say (which words, which form) and what
each field means stands here, once.
"""

import json
import sys
from typing import Any, Final

import msgspec

from logopsd.parsing.priority import FACILITIES, SEVERITIES
from logopsd.records import INPUTS, LEVELS, Record

FORMATS: Final = (
    *("rfc5424", "rfc3164", "json", "logfmt", "csv", "plain", "journal", "otlp", "loki"),
    "account",
)
"""The values of `format`: who understood the record; `account` is the daemon's own."""

_STAMP: Final = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$"

_MEANING: Final[dict[str, dict[str, Any]]] = {
    "ts": {
        "description": "When it happened, RFC 3339 in UTC, the fraction as the sender gave it; "
        "where it gave none that can be read, the time of arrival.",
        "pattern": _STAMP,
    },
    "level": {"description": "How urgent; INFO where the sender said nothing.", "enum": [*LEVELS]},
    "msg": {"description": "The message, masked."},
    "msg_enc": {"description": "The original message as a Fernet token."},
    "emitter": {"description": "Who produced it: a service, a program, else the input."},
    "facility": {"description": "Syslog facility (RFC 5424 table 1).", "enum": [*FACILITIES]},
    "severity": {"description": "Syslog severity (RFC 5424 table 2).", "enum": [*SEVERITIES]},
    "host": {"description": "The host that the sender names."},
    "app": {"description": "Syslog APP-NAME or tag."},
    "procid": {"description": "Syslog PROCID."},
    "msgid": {"description": "Syslog MSGID."},
    "sd": {"description": "Structured data (RFC 5424 section 6.3): id -> name -> value."},
    "input": {"description": "The input it came by.", "enum": [*INPUTS]},
    "peer": {"description": "The sender's address; `unix` for a Unix socket."},
    "received": {
        "description": "When it arrived, RFC 3339 in UTC, milliseconds.",
        "pattern": _STAMP,
    },
    "format": {"description": "What it was understood as.", "enum": [*FORMATS]},
    "guessed": {
        "description": "What the sender's time did not say and was inferred.",
        "items": {"enum": ["year", "zone"]},
    },
    "ts_orig": {"description": "The sender's time, where it could not be read; masked."},
    "encoding": {"description": "What was wrong with its bytes.", "enum": ["invalid-utf8"]},
    "truncated": {"description": "The message was cut at LOGOPS_MAX_MESSAGE.", "const": True},
    "original_length": {"description": "The length before, in bytes.", "minimum": 1},
}


def schema() -> dict[str, Any]:
    """Make the schema: fields that hold their default are left out, extras stand at the top."""
    (struct,) = msgspec.json.schema_components([Record])[1].values()
    types = struct["properties"]
    del types["extras"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "logopsd record",
        "description": "One line of a file of logopsd. Fields that do not apply are left out; all "
        "else at the top level is what a structured payload brought, masked.",
        "type": "object",
        "required": struct["required"],
        "properties": {name: _property(name, made) for name, made in types.items()},
        "patternProperties": {
            "_enc$": {"type": "string", "description": "The original of a field, a Fernet token."}
        },
        "additionalProperties": True,
    }


def _property(name: str, made: dict[str, Any]) -> dict[str, Any]:
    """One field: never null and never its default, as such are left out."""
    only = made["anyOf"][0] if "anyOf" in made else made
    kept = {key: value for key, value in only.items() if key != "default"}
    return kept | _MEANING[name]


def text() -> str:
    """Make the schema's text, as it stands in the tree."""
    return json.dumps(schema(), indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
