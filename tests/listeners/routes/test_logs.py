"""POST /v1/logs: what is taken, answered and refused."""

import asyncio
import gzip
import json

import pytest

from logopsd.framing import FAULTS
from logopsd.framing.newline import NewlineFramer
from logopsd.listeners.routes.content_types import CHARSETS
from logopsd.listeners.routes.intake import SLICE_RECORDS
from logopsd.records import Frames
from tests.listeners.http.helpers import PEER, get, head
from tests.listeners.routes.helpers import RECEIVED, Case

JSON = "Content-Type: application/json"

ACCEPTED = {
    "object": (JSON, b'{"msg":"a"}', [{"msg": "a"}], "json"),
    "list": (JSON, b'[{"msg":"a"},{"msg":"b"}]', [{"msg": "a"}, {"msg": "b"}], "json"),
    "list of lines": (JSON, b'["a"]', ["a"], "json"),
    "with a charset": (JSON + "; Charset=UTF-8", b'{"msg":"a"}', [{"msg": "a"}], "json"),
    "in capitals": ("Content-Type: Application/JSON", b'{"msg":"a"}', [{"msg": "a"}], "json"),
    "text": ("Content-Type: text/plain", b"a\nb\n", [b"a", b"b"], "lines"),
    "text without a last line end": ("Content-Type: text/plain", b"a\r\nb", [b"a", b"b"], "lines"),
    "Latin-1": (
        "Content-Type: text/plain; charset=iso-8859-1",
        b"caf\xe9",
        ["café".encode()],
        "lines",
    ),
    "UTF-16": (
        'Content-Type: text/plain; charset="utf-16"',
        "a\nb".encode("utf-16"),
        [b"a", b"b"],
        "lines",
    ),
    "csv": ("Content-Type: text/csv", b"msg\na\n", [{"msg": "a"}], "csv"),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_each_type_is_taken(name: str) -> None:
    """What a body holds is handed down as what it is, with the sender's address."""
    header, body, items, format = ACCEPTED[name]
    case = Case().post(body, header)
    assert case.intake.items == items
    assert case.intake.formats == [format]
    assert case.intake.peers == [PEER]
    assert case.intake.calls == 1
    assert case.answer() == (
        200,
        {
            "accepted": len(items),
            "ts": RECEIVED,
            "missing_ts": len(items),
            "missing_level": 1,
        },
    )


def test_each_type_is_taken_compressed() -> None:
    """Gzip is undone before the body is looked at."""
    for header, body, items, _ in ACCEPTED.values():
        case = Case().post(gzip.compress(body), header, "Content-Encoding: gzip")
        assert case.intake.items == items
        assert case.answer()[0] == 200


def test_the_answer_waits_for_the_receipt() -> None:
    """200 means stored, not received."""
    case = Case().post(b'{"msg":"a"}', JSON)
    assert case.client.received == b""
    assert case.client.log.events == []
    case.intake.store()
    assert case.client.statuses == [200]


def test_a_request_is_logged_without_its_text() -> None:
    """What was taken is counted in the log at debug, and no byte of it shown."""
    case = Case().post(b'{"msg":"a secret"}', JSON)
    case.intake.store()
    assert case.client.log.events == [
        {
            "level": "debug",
            "event": "ingest",
            "input": "http",
            "accepted": 1,
            "missing_ts": 1,
            "missing_level": 1,
        }
    ]


EMPTY = {
    "nothing": (JSON, b""),
    "empty list": (JSON, b"[]"),
    "no lines": ("Content-Type: text/plain", b"\n\r\n\n"),
    "header row alone": ("Content-Type: text/csv", b"ts,level,msg\n"),
}


@pytest.mark.parametrize("name", EMPTY)
def test_a_body_without_records_is_answered_at_once(name: str) -> None:
    """There is nothing to store, and nothing wrong."""
    header, body = EMPTY[name]
    case = Case().post(body, header)
    assert case.client.statuses == [200]
    assert json.loads(case.client.answers[0][2]) == {
        "accepted": 0,
        "ts": "2001-09-09T01:46:40.500Z",
        "missing_ts": 0,
        "missing_level": 0,
    }
    assert case.intake.calls == 0


BAD = {
    "no JSON": (JSON, b'{"msg": "SECRET'),
    "a number": (JSON, b"42"),
    "a number in a list": (JSON, b'[{"msg":"SECRET"}, 42]'),
    "no UTF-8": (JSON, b'{"msg":"SECRET \xff"}'),
    "too deep": (JSON, b"[" * 100_000),
}


@pytest.mark.parametrize("name", BAD)
def test_nothing_of_a_bad_body_is_taken(name: str) -> None:
    """The answer says what and where, and never shows what was sent."""
    header, body = BAD[name]
    case = Case().post(body, header)
    status, answer = case.answer()
    assert status == 400
    assert answer["error"] == "Bad Request"
    assert answer["detail"]
    assert b"SECRET" not in case.client.received
    assert case.intake.calls == 0
    assert case.metrics.received == 0
    assert not case.client.is_ended


@pytest.mark.parametrize(
    ("headers", "hint"),
    [
        ([], "-H 'Content-Type: application/json'"),
        (
            ["Content-Type: application/x-www-form-urlencoded"],
            "-H 'Content-Type: application/json'",
        ),
        (["Content-Type: image/png"], "must be one of application/json"),
        (["Content-Type: multipart/form-data; boundary=x"], "must be one of"),
        (["Content-Type: text/plain; charset=rot13"], "charset"),
        (["Content-Type: text/plain; charset=zlib"], "charset"),
    ],
)
def test_another_type_is_refused_with_the_mend(headers: list[str], hint: str) -> None:
    """Curl -d says a type that it does not mean: the answer says what to add."""
    case = Case().post(b'{"msg":"a"}', *headers)
    status, answer = case.answer()
    assert status == 415
    assert hint in answer["detail"]
    assert case.intake.calls == 0


def test_the_type_is_refused_before_the_body_is_sent() -> None:
    """Who asks first is not told to go on with a body nobody reads."""
    case = Case()
    case.client.send(head("POST", "/v1/logs", "Content-Length: 9", "Expect: 100-continue"))
    assert case.client.statuses == [415]


@pytest.mark.parametrize("charset", CHARSETS)
def test_every_charset_is_one_that_python_reads(charset: str) -> None:
    """The closed set holds no name that would fail, and invalid bytes lose no line."""
    case = Case().post(b"\xff\x81abc", f"Content-Type: text/plain; charset={charset}")
    assert case.answer()[0] == 200


def test_a_sample_shows_the_first_records() -> None:
    """Where asked for, the answer shows what would be written, as it would be written."""
    case = Case(sample_size=2).post(b'["a","b","c"]', JSON)
    _, answer = case.answer()
    assert answer["accepted"] == 3
    assert [record["msg"] for record in answer["sample"]] == ["a", "b"]
    assert answer["sample"][0]["level"] == "INFO"


def test_long_lines_are_cut_not_refused() -> None:
    """A line above the limit becomes one record, as on every input."""
    case = Case(max_message=10).post(b"a" * 25 + b"\nb", "Content-Type: text/plain")
    assert case.intake.items == [b"a" * 10, b"b"]


def in_slices(case: Case, body: bytes, header: str) -> None:
    """Send a body, and let the loop run until all of it was taken; store each slice at once."""

    async def run() -> None:
        case.post(body, header)
        calls = 0
        while case.intake.calls > calls:
            calls = case.intake.calls
            case.intake.store()
            await asyncio.sleep(0)

    asyncio.run(run())


def test_a_large_body_is_taken_in_slices() -> None:
    """The loop sees to its sockets between slices, and one answer comes when all are stored."""
    case = Case(sample_size=2)
    count = 2 * SLICE_RECORDS + 1
    in_slices(case, json.dumps([{"msg": str(n)} for n in range(count)]).encode(), JSON)
    assert case.intake.calls == 3
    assert case.intake.items == [{"msg": str(n)} for n in range(count)]
    ((status, _, body),) = case.client.answers
    answer = json.loads(body)
    assert status == 200
    assert (answer["accepted"], answer["missing_ts"], answer["missing_level"]) == (count, count, 3)
    assert len(answer["sample"]) == 2


def test_cut_lines_are_told_in_their_slice() -> None:
    """Which lines were cut is told by their place in the slice that holds them."""
    case = Case(max_message=3)
    lines = [b"a"] * (2 * SLICE_RECORDS)
    lines[5] = lines[SLICE_RECORDS] = b"longer"
    in_slices(case, b"\n".join(lines), "Content-Type: text/plain")
    assert case.intake.cuts == [{5: 6}, {0: 6}]


def test_a_slice_that_fails_is_500() -> None:
    """A bug behind the first slice is answered too, once, and its type alone logged."""
    case = Case()
    case.intake.fails_at_call = 2
    in_slices(case, b"a\n" * (2 * SLICE_RECORDS), "Content-Type: text/plain")
    assert case.client.statuses == [500]
    assert b"SECRET" not in case.client.received
    assert case.client.log.events == [
        {
            "level": "error",
            "event": "ingest_failed",
            "input": "http",
            "type": "ZeroDivisionError",
        }
    ]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [(b'["a"]', "application/json"), (b"a", "text/plain"), (b'"a"', "application/x-ndjson")],
)
def test_what_cannot_be_stored_after_all_is_500(body: bytes, content_type: str) -> None:
    """A bug in a stage behind the parser is answered as well, once, however often it is told."""
    case = Case().post(body, f"Content-Type: {content_type}")
    for _ in range(2):
        case.intake.failing[0](ZeroDivisionError("with a SECRET in it"))
    assert case.client.statuses == [500]
    assert b"SECRET" not in case.client.received
    assert [event["event"] for event in case.client.log.events] == ["ingest_failed"]


def test_faults_of_the_framing_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the framer of lines finds malformed is told by its reason."""

    class Faulty(NewlineFramer):
        def receive_data(self, data: bytes) -> Frames:
            return Frames([data], faults={FAULTS[0]: 2})

    monkeypatch.setattr("logopsd.listeners.routes.logs.NewlineFramer", Faulty)
    case = Case().post(b"a", "Content-Type: text/plain")
    assert case.metrics.faults[FAULTS[0]] == 2


def test_health_is_served_beside_it() -> None:
    """The inputs' port tells its health."""
    case = Case()
    case.client.send(get("/healthz"), get("/readyz"), get("/v1/logs"))
    assert case.client.statuses == [200, 200, 405]
