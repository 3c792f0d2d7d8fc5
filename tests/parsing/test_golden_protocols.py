"""Golden pairs: requests as real senders write them, and the records expected of them.

`tests/data/protocols/<protocol>.*` is a whole body; `<protocol>.ndjson` holds the record of each
item, without what all of them have in common: input, peer and time of arrival.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from logopsd.framing.journal_export import JournalExportFramer
from logopsd.parsing.bodies import decode_json
from logopsd.parsing.loki import read_push
from logopsd.parsing.otlp import read_export
from tests.parsing.helpers import parse_documents

DATA = Path(__file__).parent.parent / "data" / "protocols"


def items_of(protocol: str) -> Sequence[object]:
    """Return what the request of a protocol holds."""
    if protocol == "journal":
        framer = JournalExportFramer(max_message=2**18)
        found = framer.receive_data((DATA / "journal.export").read_bytes())
        assert found.faults == {}
        return found.entries
    (document,) = decode_json((DATA / f"{protocol}.json").read_bytes())
    assert isinstance(document, dict)
    if protocol == "loki":
        push = read_push(document)
        assert push.rejected == 0
        return push.lines
    export = read_export(document)
    assert export.rejected == 0
    return export.items


@pytest.mark.parametrize("protocol", ["journal", "loki", "otlp"])
def test_real_requests_become_the_records_expected(protocol: str) -> None:
    """Each item gives its record."""
    wanted = (DATA / f"{protocol}.ndjson").read_text("utf-8").splitlines()
    records, _ = parse_documents(items_of(protocol), format=protocol)
    for record, line in zip(records, wanted, strict=True):
        assert record == json.loads(line)
