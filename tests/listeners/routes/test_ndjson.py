"""NDJSON on /v1/logs: as it streams, and with lines that are none."""

import asyncio
import gzip
import json

import pytest

from logopsd.listeners.http.inflate import PIECE_BYTES
from logopsd.listeners.routes.answers import MAX_REASONS
from tests.listeners.http.helpers import head, post, post_chunked
from tests.listeners.routes.helpers import RECEIVED, Case, in_loop

NDJSON = "Content-Type: application/x-ndjson"
GZIP = "Content-Encoding: gzip"


@pytest.mark.parametrize(
    "content_type", ["application/x-ndjson", "Application/NDJSON", "application/jsonl"]
)
def test_a_document_a_line(content_type: str) -> None:
    """Objects and texts are taken, and the answer says that nothing was rejected."""
    case = Case().post(b'{"msg":"a"}\n\n"b"\r\n{"msg":"c"}', f"Content-Type: {content_type}")
    assert case.intake.items == [{"msg": "a"}, "b", {"msg": "c"}]
    assert set(case.intake.formats) == {"json"}
    assert case.answer() == (
        200,
        {"accepted": 3, "ts": RECEIVED, "missing_ts": 3, "missing_level": 2, "rejected": 0},
    )


def test_lines_are_taken_as_they_come() -> None:
    """What is complete is handed down before the body is; a chunk may end inside a line."""
    case = Case()
    case.client.send(
        head("POST", "/v1/logs", "Transfer-Encoding: chunked", NDJSON), b"7\r\n1\n{}\n{}\r\n"
    )
    assert case.intake.items == [{}]
    case.client.send(b"3\r\n\n{}\r\n")
    assert case.intake.items == [{}, {}]
    case.intake.store()
    assert case.client.answers == []
    case.client.send(b"0\r\n\r\n")
    status, answer = case.answer()
    assert (status, answer["accepted"], answer["rejected"]) == (200, 3, 1)


def test_the_answer_waits_for_every_receipt() -> None:
    """It comes when all that was handed down is stored, and not before."""
    case = Case()
    case.client.send(post_chunked(b"{}\n", b"{}\n", headers=[NDJSON], path="/v1/logs"))
    first, second = case.intake.waiting
    second()
    assert case.client.answers == []
    first()
    assert case.client.statuses == [200]


def test_a_bad_line_is_told_and_the_others_are_stored() -> None:
    """Number and reason of the first of them, never what stood there; each counted as dropped."""
    lines = [b"{}"] * 3 + [b"SECRET", b'{"SECRET":', b"42", b'"\xff"'] * 3 + [b"{}"]
    case = Case().post(b"\n".join(lines), NDJSON)
    status, answer = case.answer()
    assert status == 200
    assert (answer["accepted"], answer["rejected"]) == (4, 12)
    assert [reason["line"] for reason in answer["reasons"]] == list(range(4, 4 + MAX_REASONS))
    assert answer["reasons"][2] == {"line": 6, "reason": "neither an object nor a text"}
    assert b"SECRET" not in case.client.received
    assert (case.metrics.received, case.metrics.dropped["rejected"]) == (12, 12)


def test_only_bad_lines_are_400() -> None:
    """Nothing was stored, and the answer says why."""
    case = Case().post(b"\nnothing\n[]\n", NDJSON)
    status, answer = case.answer()
    assert status == 400
    assert answer["error"] == "Bad Request"
    assert answer["detail"].startswith("no line could be read; line 2: ")
    assert (answer["accepted"], answer["rejected"]) == (0, 2)
    assert not case.client.is_ended


@pytest.mark.parametrize("body", [b"", b"\n \n"])
def test_no_lines_are_no_fault(body: bytes) -> None:
    """There is nothing to store, and nothing wrong."""
    case = Case().post(body, NDJSON)
    status, answer = case.answer()
    assert (status, answer["accepted"], answer["rejected"]) == (200, 0, 0)
    assert answer["ts"] == "2001-09-09T01:46:40.500Z"


def test_a_sample_is_shown() -> None:
    """As for any other body."""
    case = Case(sample_size=2).post(b'"a"\n"b"\n"c"\n', NDJSON)
    assert [record["msg"] for record in case.answer()[1]["sample"]] == ["a", "b"]


@pytest.mark.parametrize("charset", ["utf-16", "iso-8859-1"])
def test_other_charsets(charset: str) -> None:
    """A character may be cut by the end of a chunk."""
    body = '{"msg":"é"}\n{"msg":"ü"}'.encode(charset)
    chunks = [body[i : i + 1] for i in range(len(body))]
    headers = [f"{NDJSON}; charset={charset}"]
    case = Case()
    case.client.send(post_chunked(*chunks, headers=headers, path="/v1/logs"))
    assert case.intake.items == [{"msg": "é"}, {"msg": "ü"}]
    assert case.answer()[0] == 200


def test_a_body_has_no_limit_where_it_is_not_compressed() -> None:
    """It takes no memory, however long it is."""
    case = Case(max_inflated_bytes=100)
    case.client.send(
        head("POST", "/v1/logs", "Content-Length: 10000000", NDJSON), b'{"msg":"a"}\n' * 1000
    )
    assert len(case.intake.items) == 1000
    assert case.client.answers == []


def test_a_compressed_body() -> None:
    """Small or large, it is taken whole, a piece at each turn of the loop."""
    lines = [json.dumps({"msg": str(n) * 100}) for n in range(6000)]
    body = gzip.compress("\n".join(lines).encode())
    case = in_loop(Case(max_inflated_bytes=2**24), post(body, NDJSON, GZIP, path="/v1/logs"))
    assert len("\n".join(lines)) > 4 * PIECE_BYTES
    assert case.intake.calls > 4
    assert case.intake.items == [json.loads(line) for line in lines]
    ((status, _, answer),) = case.client.answers
    assert (status, json.loads(answer)["accepted"]) == (200, 6000)


def test_a_compressed_body_that_comes_in_pieces() -> None:
    """The end may come long after the last line."""
    body = gzip.compress(b'"a"\n"b"\n')
    request = post(body, NDJSON, GZIP, path="/v1/logs")
    case = in_loop(Case(), *(request[i : i + 1] for i in range(len(request))))
    assert case.intake.items == ["a", "b"]
    assert case.client.statuses == [200]


def test_a_bomb_is_413_and_what_came_before_is_told() -> None:
    """The decompressed size is bounded; the answer says how much is stored."""
    body = gzip.compress(b'{"msg":"a"}\n' * 100_000)
    case = in_loop(
        Case(max_inflated_bytes=2 * PIECE_BYTES), post(body, NDJSON, GZIP, path="/v1/logs")
    )
    ((status, _, text),) = case.client.answers
    answer = json.loads(text)
    assert status == 413
    assert answer["accepted"] == len(case.intake.items) > 0
    assert "what came before is stored" in answer["detail"]


def test_a_damaged_body_is_400() -> None:
    """What is no gzip is refused, and nothing more is taken of it."""
    case = in_loop(Case(), post(b"no gzip at all", NDJSON, GZIP, path="/v1/logs"))
    assert case.client.statuses == [400]
    assert case.intake.items == []


def test_a_failure_is_500_once() -> None:
    """A bug is told as such, its type alone logged; in a compressed body as well."""
    for headers, body in (([NDJSON], b"1\n{}\n{}"), ([NDJSON, GZIP], gzip.compress(b"{}\n"))):
        case = Case()
        case.intake.fails_at_call = 1
        in_loop(case, post(body, *headers, path="/v1/logs"))
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


def test_a_client_that_leaves() -> None:
    """What it sent is stored as far as it was taken, and nobody is answered."""
    request = post(gzip.compress(b"{}\n" * 10), NDJSON, GZIP, path="/v1/logs")
    case = Case()

    async def leave() -> None:
        case.client.send(request[:-1])
        case.client.connection.connection_lost(None)

    asyncio.run(leave())
    assert case.intake.items == []
    case = Case()
    case.client.send(post(b"{}\n{", NDJSON, path="/v1/logs")[:-1])
    case.client.connection.connection_lost(None)
    case.intake.store()
    assert case.intake.items == [{}]
    assert case.client.received == b""


def test_each_request_is_logged_at_debug() -> None:
    """With counts, and no text."""
    case = Case().post(b'{"msg":"SECRET"}\n0', NDJSON)
    case.answer()
    assert case.client.log.events == [
        {
            "level": "debug",
            "event": "ingest",
            "input": "http",
            "accepted": 1,
            "missing_ts": 1,
            "missing_level": 1,
            "rejected": 1,
        }
    ]
