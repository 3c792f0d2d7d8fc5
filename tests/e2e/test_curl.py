"""`curl` against `POST /v1/logs`: what an operator types."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import Daemon, need, run


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon on its defaults, for all tests here: what one asks changes nothing for another."""
    daemon = Daemon(tmp_path_factory.mktemp("curl") / "d")
    try:
        yield daemon.start()
    finally:
        daemon.end()
    assert daemon.unexpected() == []


@pytest.fixture
def daemon(running: Daemon) -> Daemon:
    """Return it, with nothing stored as far as the test can see."""
    running.skip()
    return running


def curl(daemon: Daemon, *args: str, path: str = "/v1/logs", stdin: bytes = b"") -> tuple[int, Any]:
    """Run curl on a path of the HTTP input; return status and parsed answer."""
    done = run([need("curl"), "-sS", "-w", "\n%{http_code}", *args, daemon.url(path)], stdin=stdin)
    body, _, status = done.stdout.rpartition(b"\n")
    return int(status), json.loads(body) if body else None


def json_header(kind: str) -> list[str]:
    """Return curl's arguments for a content type and a body from standard input."""
    return ["-H", f"Content-Type: {kind}", "--data-binary", "@-"]


def test_a_json_object(daemon: Daemon) -> None:
    """The answer comes after the record is stored, and says what was missing."""
    status, answer = curl(
        daemon, *json_header("application/json"), stdin=b'{"msg": "hello", "order_id": 7}'
    )

    assert status == 200
    assert (answer["accepted"], answer["missing_ts"], answer["missing_level"]) == (1, 1, 1)
    assert answer["ts"].endswith("Z")
    (record,) = daemon.records()  # no waiting: 200 means stored
    assert (record["msg"], record["order_id"], record["input"]) == ("hello", 7, "http")


def test_a_json_list_with_aliases_and_forged_fields(daemon: Daemon) -> None:
    """Aliases are understood; a payload cannot forge the daemon's own fields."""
    body = [
        {"@timestamp": "2024-01-02T03:04:05+01:00", "severity": "warning", "message": "one"},
        {"time": 1704164645, "lvl": "err", "log": "two", "peer": "evil", "msg_enc": "x"},
    ]
    status, answer = curl(daemon, *json_header("application/json"), stdin=json.dumps(body).encode())

    assert (status, answer["accepted"], answer["missing_ts"]) == (200, 2, 0)
    one, two = daemon.records()
    assert (one["ts"], one["level"], one["msg"]) == ("2024-01-02T02:04:05Z", "WARN", "one")
    assert (two["level"], two["msg"], two["peer"]) == ("ERROR", "two", "127.0.0.1")
    assert two["ts"].startswith("2024-01-02T03:04:05")
    assert (two["peer_orig"], two["msg_enc_orig"]) == ("evil", "x")
    assert "msg_enc" not in two


def test_text(daemon: Daemon) -> None:
    """text/plain is a line a record, parsed as any other line."""
    status, answer = curl(
        daemon, *json_header("text/plain"), stdin=b"<11>app: first\n\nERROR second\r\nthird"
    )

    assert (status, answer["accepted"]) == (200, 3)
    assert [r["msg"] for r in daemon.records()][0::2] == ["first", "third"]
    assert [r["level"] for r in daemon.records()] == ["ERROR", "ERROR", "INFO"]


def test_csv(daemon: Daemon) -> None:
    """text/csv has a header row; empty cells are missing values."""
    body = b'ts,level,msg\n2024-01-02T03:04:05Z,warn,"a, ""quoted"" cell"\n,,bare\n'
    status, answer = curl(daemon, *json_header("text/csv"), stdin=body)

    assert (status, answer["accepted"]) == (200, 2)
    assert (answer["missing_ts"], answer["missing_level"]) == (1, 1)
    first, second = daemon.records()
    assert (first["msg"], first["level"], first["format"]) == ('a, "quoted" cell', "WARN", "csv")
    assert second["msg"] == "bare"


def test_ndjson(daemon: Daemon) -> None:
    """application/x-ndjson is an object a line."""
    status, answer = curl(
        daemon, *json_header("application/x-ndjson"), stdin=b'{"msg":"one"}\n{"msg":"two"}\n'
    )

    assert (status, answer["accepted"]) == (200, 2)
    assert [record["msg"] for record in daemon.records()] == ["one", "two"]


def test_gzip(daemon: Daemon) -> None:
    """A gzip-encoded body is unpacked."""
    status, answer = curl(
        daemon,
        *json_header("application/json"),
        *("-H", "Content-Encoding: gzip"),
        stdin=gzip.compress(b'[{"msg":"packed"},{"msg":"tight"}]'),
    )

    assert (status, answer["accepted"]) == (200, 2)
    assert [record["msg"] for record in daemon.records()] == ["packed", "tight"]


@pytest.mark.parametrize(
    "header", [["-H", "Transfer-Encoding: chunked"], ["-H", "Expect: 100-continue"]]
)
def test_a_large_body(daemon: Daemon, header: list[str]) -> None:
    """Chunked bodies, and those announced by Expect, are taken whole."""
    records = [{"msg": f"message {number} " + "x" * 200} for number in range(5000)]
    status, answer = curl(
        daemon, *header, *json_header("application/json"), stdin=json.dumps(records).encode()
    )

    assert (status, answer["accepted"]) == (200, 5000)
    assert [r["msg"] for r in daemon.records()] == [r["msg"] for r in records]


@pytest.mark.parametrize(
    ("args", "stdin", "path", "expected"),
    [
        (json_header("application/json"), b'[{"msg": "secret one"}, {"msg": ]', "/v1/logs", 400),
        (json_header("application/pdf"), b"%PDF secret", "/v1/logs", 415),
        (json_header("text/plain"), b"secret", "/nowhere", 404),
        (["-X", "DELETE"], b"", "/v1/logs", 405),
        (json_header("text/plain"), b"x" * (16 * 1024 * 1024 + 1), "/v1/logs", 413),
    ],
)
def test_what_is_refused_says_why_and_stores_nothing(
    daemon: Daemon, args: list[str], stdin: bytes, path: str, expected: int
) -> None:
    """Bad input gets its status with an error and a detail that does not quote it."""
    status, answer = curl(daemon, *args, path=path, stdin=stdin)

    assert status == expected
    assert answer["error"]
    assert answer["detail"]
    assert "secret" not in json.dumps(answer)
    assert daemon.raw() == b""
    assert "secret" not in daemon.log_text()
    assert daemon.metrics().unaccounted("http") == 0


def test_keep_alive_survives_a_refusal(daemon: Daemon, tmp_path: Path) -> None:
    """After a refused body the same connection takes the next request."""
    bad, good = tmp_path / "bad.json", tmp_path / "good.json"
    bad.write_bytes(b"{")
    good.write_bytes(b'{"msg": "good"}')
    one = ["-H", "Content-Type: application/json", "-o", str(tmp_path / "answer")]
    one += ["-w", "%{http_code} %{num_connects}\n"]
    url = daemon.url("/v1/logs")
    done = run(
        [
            *(need("curl"), "-sS", *one, "--data-binary", f"@{bad}", url),
            *("--next", "-sS", *one, "--data-binary", f"@{good}", url),
        ]
    )

    assert done.stdout == b"400 1\n200 0\n"
    assert [record["msg"] for record in daemon.records()] == ["good"]


def test_health_and_readiness(daemon: Daemon) -> None:
    """/healthz and /readyz answer on both ports."""
    for name in ("http", "metrics"):
        status, text = daemon.get("/healthz", name)
        health = json.loads(text)
        assert (status, health["status"], health["pii_encryption"]) == (200, "ok", False)
        assert health["version"]
        assert daemon.get("/readyz", name)[0] == 200


def test_a_bad_line_among_gzipped_ndjson(daemon: Daemon) -> None:
    """1,000 lines and two that are none: those are told by number, the others are stored."""
    lines = [json.dumps({"msg": f"message {number}"}) for number in range(1000)]
    lines[499:499] = ["secret, no JSON", "42"]
    status, answer = curl(
        daemon,
        *json_header("application/x-ndjson"),
        *("-H", "Content-Encoding: gzip"),
        stdin=gzip.compress("\n".join(lines).encode()),
    )

    assert (status, answer["accepted"], answer["rejected"]) == (200, 1000, 2)
    assert [reason["line"] for reason in answer["reasons"]] == [500, 501]
    assert "secret" not in json.dumps(answer)
    assert [r["msg"] for r in daemon.records()] == [f"message {n}" for n in range(1000)]
    page = daemon.metrics()
    assert page.sum("logops_dropped_total", input="http", reason="rejected") == 2
    assert page.unaccounted("http") == 0


def test_ndjson_longer_than_any_other_body(daemon: Daemon) -> None:
    """It is taken as it comes, so the limit of a body is none of it."""
    line = json.dumps({"msg": "x" * 990}).encode() + b"\n"
    status, answer = curl(daemon, *json_header("application/x-ndjson"), stdin=line * 20_000)
    assert (status, answer["accepted"]) == (200, 20_000)


def test_loki_push(daemon: Daemon) -> None:
    """Loki's own answer, and labels beside the line."""
    values = [["1570818238000000000", f"line {number}"] for number in range(1000)]
    body = {"streams": [{"stream": {"job": "shop", "zone": "a"}, "values": values}]}
    status, _ = curl(
        daemon,
        *json_header("application/json"),
        *("-H", "Content-Encoding: gzip"),
        path="/loki/api/v1/push",
        stdin=gzip.compress(json.dumps(body).encode()),
    )

    assert status == 204
    records = daemon.records()
    assert [record["msg"] for record in records] == [line for _, line in values]
    assert records[0]["ts"] == "2019-10-11T18:23:58.000000Z"
    assert (records[0]["emitter"], records[0]["zone"]) == ("shop", "a")
