"""No secret that was sent, by whatever way, stands in anything that the daemon writes or says."""

import contextlib
import datetime
import gzip
import http.client
import json
import re
import socket
import ssl
import textwrap
import urllib.parse
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from logopsd.parsing.lines import LineParser
from logopsd.privacy.stage import PrivacyStage
from logopsd.records import Batch, Frames
from tests.certificates import Authority
from tests.e2e.canaries import (
    KINDS,
    NAMED,
    Canaries,
    Kind,
    documents,
    lines,
    named_documents,
    named_lines,
)
from tests.e2e.conftest import MakeDaemon
from tests.e2e.harness import DEADLINE_SECONDS, Daemon
from tests.e2e.relp_client import RelpClient
from tests.e2e.test_sockets import short_path

__all__ = ["short_path"]  # a fixture

_PRIORITY = re.compile(rb"<[0-9]{1,3}>")
KEY = "WmV0YS1pcy1ub3QtYS1zZWNyZXQtMzItYnl0ZXMtISE="
SETTINGS = {
    "LOGOPS_RELP_PORT": "any",
    "LOGOPS_ENCRYPT_PII": "true",
    "LOGOPS_SECRET_KEY": KEY,
    "LOGOPS_MASK_FIELDS": "host,peer",
    "LOGOPS_DEBUG_SAMPLE": "true",
    "LOGOPS_DEBUG_SAMPLE_SIZE": "100",
    "LOGOPS_LOG_LEVEL": "debug",
    "LOGOPS_KEY_PER_DAY": "true",
    "LOGOPS_SINK_SPLIT": "level",
}


class Sender:
    """Sends canaries over every transport, and keeps what was answered."""

    def __init__(self, daemon: Daemon, canaries: Canaries) -> None:
        self.daemon = daemon
        self.canaries = canaries
        self.answers: list[bytes] = []

    def lines(self, transport: str) -> Iterator[bytes]:
        """A line for each kind of secret and each place."""
        for kind in KINDS:
            give = partial(self._give, kind, transport)
            yield from lines(give)
        yield from named_lines(partial(self._give, NAMED, transport))

    def documents(self, transport: str) -> Iterator[dict[str, Any]]:
        """A document likewise."""
        for kind in KINDS:
            yield from documents(partial(self._give, kind, transport))
        yield from named_documents(partial(self._give, NAMED, transport))

    def value(self, place: str) -> Iterator[str]:
        """A value of each kind for one place."""
        for kind in KINDS:
            yield self._give(kind, "", place)

    def _give(self, kind: Kind, transport: str, place: str) -> str:
        return self.canaries.value(kind, f"{place} by {transport}")

    def post(self, body: bytes, content_type: str, path: str = "/v1/logs", **headers: str) -> None:
        """POST on a connection of its own; it may be closed without an answer."""
        connection = http.client.HTTPConnection(
            *self.daemon.address("http"), timeout=DEADLINE_SECONDS
        )
        failures = (OSError, http.client.HTTPException)
        with contextlib.closing(connection), contextlib.suppress(*failures):
            connection.request("POST", path, body, {"Content-Type": content_type, **headers})
            answer = connection.getresponse()
            self.answers.append(str(answer.getheaders()).encode() + answer.read())

    def get(self, path: str, name: str) -> None:
        """GET, likewise."""
        self.answers.append(self.daemon.get(path, name)[1].encode())

    def raw_http(self, data: bytes) -> None:
        """Send bytes to the HTTP port, and keep what is said."""
        self.stream(self.daemon.address("http"), data)

    # --- transports ---------------------------------------------------------------------------

    def udp(self) -> int:
        """Datagrams, a few at a time, so that the kernel drops none."""
        sent = list(self.lines("udp"))
        for begin in range(0, len(sent), 100):
            self.daemon.send_udp(*sent[begin : begin + 100])
            self.daemon.metrics()  # the daemon has read them when it answers
        return len(sent)

    def tcp(self, *, octets: bool) -> None:
        """One stream, by LF or by octet counting."""
        name = "tcp, octets" if octets else "tcp, LF"
        frames = [
            b"%d %s" % (len(line), line) if octets else line + b"\n"
            for line in self.lines(name)
            if not octets or _PRIORITY.match(line)  # else nothing says that octets are counted
        ]
        self.stream(self.daemon.address("tcp"), b"".join(frames))

    def tls(self, authority: Authority) -> None:
        """One stream, encrypted."""
        context = ssl.create_default_context(cafile=str(authority.cert))
        plain = socket.create_connection(self.daemon.address("tls"), timeout=DEADLINE_SECONDS)
        with context.wrap_socket(plain, server_hostname="logs.example.org") as sock:
            sock.sendall(b"".join(line + b"\n" for line in self.lines("tls")))
            with contextlib.suppress(OSError):
                sock.unwrap()

    def relp(self) -> None:
        """One session; each message is answered."""
        with RelpClient(self.daemon.address("relp"), DEADLINE_SECONDS) as client:
            sent = 0
            for line in self.lines("relp"):
                client.send(line)
                sent += 1
                if sent % 50 == 0:
                    for _ in range(50):
                        client.answered()
            for _ in range(sent % 50):
                client.answered()

    def unix(self, datagrams: Path, stream: Path) -> None:
        """Both kinds of Unix sockets."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.connect(str(datagrams))  # it blocks while the receiver is busy
            for line in self.lines("unix datagram"):
                sock.send(line)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.connect(str(stream))
            sock.sendall(b"".join(line + b"\n" for line in self.lines("unix stream")))
            sock.shutdown(socket.SHUT_WR)
            assert sock.recv(1) == b""

    def stream(self, address: tuple[str, int], data: bytes) -> None:
        """Send bytes on a connection of their own, and keep what is said until it is closed."""
        with (
            socket.create_connection(address, timeout=DEADLINE_SECONDS) as sock,
            contextlib.suppress(OSError),  # of a stage that fails the connection may be reset
        ):
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
            while piece := sock.recv(65536):
                self.answers.append(piece)

    def http(self) -> None:
        """Every type of body."""
        text = b"\n".join(self.lines("http text"))
        self.post(text, "text/plain")
        self.post(gzip.compress(text), "text/plain", **{"Content-Encoding": "gzip"})
        self.post(json.dumps(list(self.documents("http json"))).encode(), "application/json")
        strings = [line.decode() for line in self.lines("http json strings")]
        self.post(json.dumps(strings).encode(), "application/json")
        escaped = json.dumps(list(self.documents("http json escaped"))).replace("@", "\\u0040")
        self.post(escaped.encode(), "application/json")
        ndjson = "\n".join(map(json.dumps, self.documents("http ndjson")))
        self.post(ndjson.encode(), "application/x-ndjson")
        for header, cell in zip(self.value("csv header"), self.value("csv cell"), strict=True):
            self.post(f'msg,who,"{header}"\nm,"{cell}",1\n'.encode(), "text/csv")
            named = self._give(NAMED, "csv", "cell")
            self.post(f"msg,password\n{cell},{named}\n".encode(), "text/csv")
        numbers = self.canaries.value(KINDS[3], "a JSON number")
        self.post(f'{{"msg":"m","card":{numbers},"l":[{numbers}]}}'.encode(), "application/json")
        self.post(f'{{"msg":{numbers}}}'.encode(), "application/json")
        self.post(f'{{"msg":"m","card":{numbers}.0,"ts":{numbers}}}'.encode(), "application/json")

    def otlp(self) -> None:
        """Logs of OpenTelemetry as JSON."""

        def pair(key: str, value: str) -> dict[str, Any]:
            return {"key": key, "value": {"stringValue": value}}

        for kind in KINDS:
            v = partial(self._give, kind, "otlp")
            named = partial(self._give, NAMED, "otlp")
            nested = {"kvlistValue": {"values": [pair(v("nested key"), v("nested value"))]}}
            record = {
                "body": {"stringValue": f"x {v('body')}"},
                "severityText": v("severity"),
                "traceId": v("trace"),
                "eventName": v("event name"),
                "attributes": [
                    pair("who", v("attribute")),
                    pair(v("attribute name"), "x"),
                    {"key": "n", "value": nested},
                    pair("password", named("attribute password")),
                    {
                        "key": "token",
                        "value": {"arrayValue": {"values": [{"stringValue": named("array")}]}},
                    },
                ],
            }
            other = {"body": nested, "timeUnixNano": v("time")}
            body = {
                "resourceLogs": [
                    {
                        "resource": {"attributes": [pair("service.name", v("service"))]},
                        "schemaUrl": v("schema"),
                        "scopeLogs": [
                            {
                                "scope": {
                                    "name": v("scope"),
                                    "attributes": [pair("a", v("scope"))],
                                },
                                "logRecords": [record, other, v("no record")],
                            }
                        ],
                    }
                ]
            }
            self.post(json.dumps(body).encode(), "application/json")
            bad = {"resourceLogs": [{"scopeLogs": v("no list")}], v("key"): 1}
            self.post(json.dumps(bad).encode(), "application/json")

    def loki(self) -> None:
        """Loki's push API."""
        for kind in KINDS:
            v = partial(self._give, kind, "loki")
            values = [
                ["1764000000000000000", f"x {v('line')}"],
                ["1764000000000000000", "m", {"password": self._give(NAMED, "loki", "metadata")}],
                ["1764000000000000000", "m", {"who": v("metadata"), v("metadata name"): "x"}],
                [v("time"), "m"],
                [v("no pair")],
                v("no list"),
            ]
            stream = {"stream": {"app": v("label"), v("label name"): "x"}, "values": values}
            body = json.dumps({"streams": [stream]}).encode()
            self.post(body, "application/json", "/loki/api/v1/push")

    def journal(self) -> None:
        """Entries as systemd-journal-upload sends them."""
        entries = []
        for number, kind in enumerate(KINDS):
            v = partial(self._give, kind, "journal")
            binary = v("binary field").encode() + b"\n\x01"
            entries.append(
                f"__CURSOR=s={number}\n__REALTIME_TIMESTAMP={1_780_000_000_000_000 + number}\n"
                f"MESSAGE=m {v('MESSAGE')}\n_HOSTNAME={v('_HOSTNAME')}\n"
                f"SYSLOG_IDENTIFIER={v('SYSLOG_IDENTIFIER')}\n_CMDLINE=a {v('_CMDLINE')}\n"
                f"_PID={v('_PID')}\nPRIORITY={v('PRIORITY')}\nUSER={v('USER')}\n"
                f"PASSWORD={self._give(NAMED, 'journal', 'PASSWORD')}\n".encode()
                + b"NOTE\n"
                + len(binary).to_bytes(8, "little")
                + binary
                + b"\n\n"
            )
            entries.append(f"{v('no field')}\nMESSAGE\n\n".encode())
            entries.append(f"__CURSOR={v('__CURSOR')}\nMESSAGE=m\n\n".encode())
        kind_of = "application/vnd.fdo.journal"
        self.post(b"".join(entries), kind_of, "/upload")
        for entry in entries:
            self.post(entry, kind_of, "/upload")

    def refused(self) -> None:
        """What is answered by an error, or is no HTTP at all."""
        for value in self.value("what is refused"):
            quoted = value.replace(" ", "+").encode()
            self.post(b'{"msg": "' + value.encode(), "application/json")
            self.post(b'{"msg": "m"} ' + value.encode(), "application/x-ndjson")
            self.post(b"\x1f\x8b" + quoted, "text/plain", **{"Content-Encoding": "gzip"})
            self.post(value.encode(), f"application/{value.replace(' ', '')}")
            self.post(value.encode(), "text/plain", "/" + value.replace(" ", ""))
            self.post(value.encode(), "text/plain", **{"Content-Encoding": value})
            self.post(value.encode(), "text/plain", "/v1/logs?q=" + value.replace(" ", ""))
            self.post(b"{}", "application/x-protobuf; " + value, "/loki/api/v1/push")
            self.raw_http(quoted + b" /" + quoted + b" HTTP/1.1\r\n\r\n")
            self.raw_http(b"GET / HTTP/1.1\r\nHost: " + quoted + b"\r\n" + quoted + b"\r\n\r\n")
            self.raw_http(b"POST /v1/logs HTTP/1.1\r\nContent-Length: " + quoted + b"\r\n\r\n")
            self.raw_http(
                b"POST /v1/logs HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n" + quoted + b"\r\n" + quoted
            )
            for name in ("relp", "tcp"):
                broken = b"1 open 5 " + quoted + b"\n9x " + quoted + b"\n<99999>" + quoted
                self.stream(self.daemon.address(name), broken)

    def ask(self) -> None:
        """The pages of both ports."""
        for path in ("/metrics", "/sources", "/healthz", "/readyz"):
            self.get(path, "metrics")
        self.get("/healthz", "http")


def test_a_canary_is_found() -> None:
    """In the clear, and URL-encoded; what was not sent is not."""
    canaries = Canaries()
    for kind in (*KINDS, NAMED):
        value = canaries.value(kind, "a place")
        (told, *_) = canaries.leaks("x", f"a {value} b".encode())
        assert told.startswith(f"x: {kind.name} in a place: ...")
        assert canaries.leaks("x", urllib.parse.quote(value, safe="").encode())
        assert not canaries.leaks("x", kind.make(9999).encode())


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_cut_leaves_no_half(kind: Kind) -> None:
    """A message that was cut within a secret, wherever, has no more of it than its mask."""
    value = kind.make(17)
    secret = kind.found.search(value)
    assert secret
    ends = range(1, len(value) + 1)
    frames = [f"<13>1 - h app - - - {'word ' * 90} a {value[:end]}".encode() for end in ends]
    batch = Batch("udp", 1e9, "2026-11-23T12:00:00.000Z")
    lengths = {index: len(frame) + 9 for index, frame in enumerate(frames)}
    LineParser(tz=datetime.UTC).parse(Frames(frames, lengths), None, batch)
    PrivacyStage().apply(batch)

    told = [record.msg for record in batch.records if secret[0][:12] in str(record)]
    assert told == []


def leaks(sender: Sender) -> list[str]:
    """What is found in the folder, the log and the answers; and in the names of files."""
    found: list[str] = []
    for path in sorted(sender.daemon.directory.rglob("*")):
        name = str(path.relative_to(sender.daemon.directory))
        found += sender.canaries.leaks("a file's name", name.encode())
        if path.is_file():
            found += sender.canaries.leaks(name, path.read_bytes())
    found += sender.canaries.leaks("an answer", b"\n".join(sender.answers))
    return found


def assert_none(found: Sequence[str]) -> None:
    """Fail with a few of those found."""
    assert not found, f"{len(found)} leaks:\n" + "\n".join(found[:60])


def test_no_canary_is_seen_again(make_daemon: MakeDaemon, short_path: Path, tmp_path: Path) -> None:
    """Each secret, in each place, by each transport, with encryption and debug sample on."""
    authority = Authority(tmp_path / "certificates")
    issued = authority.issue("logs.example.org", dns=["logs.example.org"])
    more = {
        "LOGOPS_TLS_PORT": "any",
        "LOGOPS_TLS_CERT": str(issued.cert),
        "LOGOPS_TLS_KEY": str(issued.key),
        "LOGOPS_UNIX_DGRAM": str(short_path / "d"),
        "LOGOPS_UNIX_STREAM": str(short_path / "s"),
    }
    daemon = make_daemon(SETTINGS | more).start()
    sender = Sender(daemon, Canaries())

    datagrams = sender.udp()
    sender.tcp(octets=False)
    sender.tcp(octets=True)
    sender.tls(authority)
    sender.relp()
    sender.unix(short_path / "d", short_path / "s")
    sender.http()
    sender.otlp()
    sender.loki()
    sender.journal()
    sender.refused()
    daemon.wait_for(
        lambda: daemon.metrics().sum("logops_received_total", input="udp") >= datagrams, "UDP"
    )
    sender.ask()
    page = daemon.metrics()
    assert daemon.stop() == 0

    assert_none(leaks(sender))
    assert page.sum("logops_pii_withheld_total") == 0
    records = daemon.records()
    assert all("msg_enc" in record for record in records if record.get("app") != "logopsd")
    assert {record.get("input") for record in records} >= {
        *("udp", "tcp", "tls", "relp", "unix", "http", "journal")
    }
    for name in page.inputs():
        assert page.unaccounted(name) == 0


RAISE = """
def boom(*args, **more):
    raise ValueError(repr(args) + repr(more) + repr(getattr(args[-1], "records", "")))
"""

FAILURES = {
    "detector": "from logopsd.privacy.masking import Masker; Masker.mask_many = boom",
    "encryption": "from logopsd.privacy.tokens import TokenMaker; TokenMaker.encrypt_many = boom",
    "parser": (
        "from logopsd.parsing.lines import LineParser; LineParser.parse = boom\n"
        "from logopsd.parsing.documents import DocumentParser; DocumentParser.parse = boom"
    ),
    "framer": (
        "from logopsd.framing.syslog_stream import SyslogStreamFramer\n"
        "SyslogStreamFramer.receive_data = boom\n"
        "from logopsd.framing.relp import RelpSession; RelpSession.receive_data = boom"
    ),
    "encoder": "import logopsd.pipeline; logopsd.pipeline.encode = boom",
    "sink": (
        "from logopsd.sinks.fanout import FanOutSink; FanOutSink.write = boom\n"
        "from logopsd.sinks.ndjson import NdjsonSink; NdjsonSink.write = boom"
    ),
}


@pytest.mark.parametrize("stage", FAILURES)
def test_no_canary_is_seen_when_a_stage_fails(
    make_daemon: MakeDaemon, tmp_path: Path, stage: str
) -> None:
    """A stage that raises, with all it was given in the exception's text, shows none of it."""
    (tmp_path / "sitecustomize.py").write_text(RAISE + textwrap.dedent(FAILURES[stage]))
    daemon = make_daemon(SETTINGS)
    daemon.env["PYTHONPATH"] = f"{tmp_path}:{daemon.env['PYTHONPATH']}"
    daemon.start()
    sender = Sender(daemon, Canaries())
    values = list(sender.value("a failing stage"))
    some = [f"<13>1 - h app - - - a {value}".encode() for value in values]

    for line in some:
        daemon.send_udp(line)
        sender.stream(daemon.address("tcp"), line + b"\n")
        sender.post(line, "text/plain")
        sender.post(json.dumps({"msg": line.decode()}).encode(), "application/json")
        sender.post(json.dumps({"msg": line.decode()}).encode(), "application/x-ndjson")
    line = some[0]
    sender.stream(
        daemon.address("relp"),
        b"1 open 15 relp_version=0\n\n2 syslog %d %b\n" % (len(line), line),
    )
    sender.ask()
    page = daemon.metrics()
    daemon.stop()
    daemon.allowed |= {event["event"] for event in daemon.events()}  # but nothing that is no JSON

    assert_none(leaks(sender))
    if stage in ("detector", "encryption"):
        assert page.sum("logops_pii_withheld_total") >= 4 * len(some)
