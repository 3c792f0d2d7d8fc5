"""What the way from a frame to the bytes of the file promises of any input."""

import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC
from typing import Any

from logopsd.encoding import encode
from logopsd.errors import PayloadError
from logopsd.framing.journal_export import JournalExportFramer
from logopsd.parsing.bodies import decode_csv, decode_json, decode_ndjson
from logopsd.parsing.cursors import SeenCursors
from logopsd.parsing.documents import DocumentParser
from logopsd.parsing.level_search import find_level
from logopsd.parsing.lines import LineParser
from logopsd.parsing.logfmt import parse_pairs
from logopsd.parsing.loki import read_push
from logopsd.parsing.otlp import is_export, read_export
from logopsd.parsing.structured_data import parse_structured_data
from logopsd.parsing.timestamps import Stamps
from logopsd.privacy.detectors import NAMES
from logopsd.privacy.stage import PrivacyStage
from logopsd.records import LEVELS, Batch, Frames

NOW = 1_795_456_800.0
RECEIVED = "2026-11-23T18:00:00.000Z"
PEER = "192.0.2.1"

_TS = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?Z")

# As in the daemon these live long, with their caches.
_lines = LineParser(tz=UTC)
_plain_lines = LineParser(tz=UTC, use_compiled=False)
_documents = DocumentParser(tz=UTC)
_privacy = PrivacyStage(detectors=NAMES)
_stamps = Stamps(tz=UTC)


def store(batch: Batch) -> list[dict[str, Any]]:
    """Mask and encode a batch, and read what would be in the file.

    Each record must be one whole line, an object without doubled names, with a time and a level
    as promised, and with what only the daemon may say.
    """
    report = _privacy.apply(batch)
    data = encode(batch.records)
    lines = data.split(b"\n")
    assert lines.pop() == b""
    assert len(lines) == len(batch.records)
    found = [json.loads(line, object_pairs_hook=_once) for line in lines]
    for record in found:
        assert _TS.fullmatch(record["ts"]), record["ts"]
        assert record["level"] in LEVELS
        assert type(record["msg"]) is str
        own = (record["input"], record.get("peer"), record["received"])
        assert own == (batch.input, PEER, RECEIVED)
        assert not any(name.endswith("_enc") for name in record)
    assert report.withheld == 0
    assert 0 <= batch.missing_ts <= len(found)
    assert 0 <= batch.missing_level <= len(found)
    return found


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    assert len(made) == len(pairs), [name for name, _ in pairs]
    return made


def line(prefix: bytes = b"") -> Callable[[bytes], None]:
    """Make a target: a frame that begins with `prefix` is one record, whoever reads it."""

    def take(data: bytes) -> None:
        if frame := prefix + data:  # no framer gives an empty one
            batch = Batch("tcp", NOW, RECEIVED)
            _lines.parse(Frames([frame]), PEER, batch)
            plain = Batch("tcp", NOW, RECEIVED)
            _plain_lines.parse(Frames([frame]), PEER, plain)
            assert batch == plain
            assert len(store(batch)) == 1

    return take


def _parse(documents: Sequence[object], format: str) -> None:
    batch = Batch("http", NOW, RECEIVED)
    _documents.parse(documents, PEER, batch, format=format)
    assert len(store(batch)) <= len(documents)


def _body(decode: Callable[[bytes], Sequence[object]], format: str) -> Callable[[bytes], None]:
    def take(data: bytes) -> None:
        try:
            documents = decode(data)
        except PayloadError:
            return
        _parse(documents, format)

    return take


json_body = _body(decode_json, "json")
ndjson_body = _body(decode_ndjson, "json")
csv_body = _body(decode_csv, "csv")


def otlp(data: bytes) -> None:
    """An export request of OTLP, or anything that may be taken for one."""
    try:
        for document in decode_json(data):
            if is_export(document):
                assert isinstance(document, dict)
                _parse(read_export(document).items, "otlp")
    except PayloadError:
        pass


def loki(data: bytes) -> None:
    """A push request of Loki."""
    try:
        for document in decode_json(data):
            _parse(read_push(document).lines, "loki")
    except PayloadError:
        pass


def journal(data: bytes) -> None:
    """The entries of a journal are records; their cursors are remembered."""
    framer = JournalExportFramer(max_message=64)
    entries = [*framer.receive_data(data).entries, *framer.receive_eof().entries]
    _parse(entries, "journal")
    seen = SeenCursors(max_runs=4)
    for entry in entries:
        for value in entry.fields.values():
            if isinstance(value, str):
                seen.add(value)
    again = SeenCursors(max_runs=4)
    again.load(seen.dump())
    assert again.dump() == seen.dump()


def _text(data: bytes) -> str:
    return data.decode(errors="replace")


def stamps(data: bytes) -> None:
    """A stamp that is read is one: in form, and within the text."""
    text = _text(data)
    _stamps.at(NOW)
    for found in (_stamps.scan(text), _stamps.read(text), _stamps.read_epoch(text)):
        if found is not None:
            assert _TS.fullmatch(found.ts), found
            assert 0 < found.end <= len(text)
    find_level(text)


def pairs(data: bytes) -> None:
    """Key and value, and structured data: texts and lists of texts."""
    for found in (parse_pairs(_text(data)), *parse_structured_data(_text(data)).values()):
        for value in (found or {}).values():
            assert all(type(each) is str for each in (value if type(value) is list else [value]))
