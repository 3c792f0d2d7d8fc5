"""Each block of docs/senders.md, as it stands there, in the program it is for."""

import contextlib
import gzip
import json
import re
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.certificates import Authority
from tests.e2e.conftest import MakeDaemon
from tests.e2e.documented import PAGE, block, blocks
from tests.e2e.harness import DEADLINE_SECONDS, Daemon, Record, need, process, run, wait_for
from tests.e2e.rsyslog import MESSAGES, rsyslogd, wait_numbers, write_numbers
from tests.e2e.test_journal import upload, write_journal

NOT_RUN = {
    *("journald-forward", "netlogd", "docker"),
    *("otel-collector", "alloy", "fluent-bit", "vector"),
}
"""Blocks whose programs are not to be had here; the page says so."""

NUMBERS = list(range(MESSAGES))


def test_every_block_is_run_or_said_not_to_be() -> None:
    """Each block is named in this file; the page marks those that are not run."""
    text = PAGE.read_text()
    named = set(re.findall(r'"([a-z-]+)"', Path(__file__).read_text()))
    assert set(blocks()) <= named
    assert len(blocks()) == text.count("\n```") // 2

    for section in text.split("\n## ")[1:]:
        not_run = {name for name in NOT_RUN if f"<!-- block: {name} -->" in section}
        assert bool(not_run) == ("Not run here" in section), section.splitlines()[0]


class Tls:
    """What a daemon and a sender need to trust each other; the daemon is `localhost`."""

    def __init__(self, directory: Path) -> None:
        authority = Authority(directory / "certificates")
        server = authority.issue("localhost", dns=["localhost"])
        sender = authority.issue("sender-1", dns=["sender-1.example.org"])
        self.settings = {
            "LOGOPS_TLS_PORT": "any",
            "LOGOPS_TLS_CERT": str(server.cert),
            "LOGOPS_TLS_KEY": str(server.key),
            "LOGOPS_TLS_CLIENT_CA": str(authority.cert),
        }
        self.trust = {"/etc/ssl/logs/ca.pem": str(authority.cert)}
        self.replace = self.trust | {
            "/etc/ssl/logs/sender.pem": str(sender.cert),
            "/etc/ssl/logs/sender.key": str(sender.key),
        }


@pytest.fixture
def short_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory whose paths fit a Unix socket's 107 bytes."""
    return tmp_path_factory.mktemp("w")


def numbered(daemon: Daemon) -> list[Record]:
    """Return the records of the numbered messages."""
    return [record for record in daemon.records() if record["msg"].startswith("message number ")]


# --- rsyslog --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "input"),
    [
        ("rsyslog-udp", "udp"),
        ("rsyslog-tcp", "tcp"),
        ("rsyslog-octet-counted", "tcp"),
        ("rsyslog-tls", "tls"),
        ("rsyslog-relp", "relp"),
    ],
)
def test_rsyslog(make_daemon: MakeDaemon, tmp_path: Path, name: str, input: str) -> None:
    """A thousand messages arrive once, with their header fields."""
    settings, replace = {"LOGOPS_RELP_PORT": "any"}, {}
    if input == "tls":
        tls = Tls(tmp_path)
        settings, replace = tls.settings, tls.replace
    daemon = make_daemon(settings).start()
    source = tmp_path / "numbers.txt"
    write_numbers(source, NUMBERS)
    host = "localhost" if input == "tls" else "127.0.0.1"
    action = block(name, daemon, input, host=host, replace=replace)
    with rsyslogd(tmp_path / "rsyslog", source, action=action):
        numbers = wait_numbers(daemon, NUMBERS)

    assert sorted(numbers) == NUMBERS
    for record in numbered(daemon):
        assert (record["input"], record["format"], record["host"]) == (input, "rfc5424", "sender-1")
        assert (record["app"], record["severity"]) == ("numbers", "notice")
    assert daemon.metrics().sum("logops_malformed_total") == 0


# --- syslog-ng ------------------------------------------------------------------------------


@contextlib.contextmanager
def syslog_ng(directory: Path, source: Path, text: str) -> Iterator[None]:
    """Run a syslog-ng of our own that forwards every line of `source` by `text`."""
    program = need("syslog-ng")
    directory.mkdir()
    config = directory / "syslog-ng.conf"
    config.write_text(
        f"""@version: 3.38
options {{ keep-hostname(yes); }};
source s_src {{
    file("{source}" flags(no-parse) program-override("numbers") host-override("sender-1")
         default-facility(local3) default-priority(notice) follow-freq(0.1));
}};
{text}
"""
    )
    files = [f"--{name}={directory / name}" for name in ("persist-file", "control", "pidfile")]
    command: list[str | Path] = [program, "--foreground", "--no-caps", "--cfgfile", config, *files]
    with process(command, directory / "output.log"):
        yield


@pytest.mark.parametrize(
    ("name", "input", "format"),
    [
        ("syslog-ng-udp", "udp", "rfc3164"),
        ("syslog-ng-tcp", "tcp", "rfc3164"),
        ("syslog-ng-syslog", "tcp", "rfc5424"),
        ("syslog-ng-tls", "tls", "rfc5424"),
    ],
)
def test_syslog_ng(
    make_daemon: MakeDaemon, tmp_path: Path, name: str, input: str, format: str
) -> None:
    """A thousand messages arrive once and in order, with their header fields."""
    settings, replace = {}, {}
    if input == "tls":
        tls = Tls(tmp_path)
        settings, replace = tls.settings, tls.replace
    daemon = make_daemon(settings).start()
    source = tmp_path / "numbers.txt"
    write_numbers(source, NUMBERS)
    host = "localhost" if input == "tls" else "127.0.0.1"
    text = block(name, daemon, input, host=host, replace=replace)
    with syslog_ng(tmp_path / "syslog-ng", source, text):
        numbers = wait_numbers(daemon, NUMBERS)

    assert numbers == NUMBERS
    for record in numbered(daemon):
        assert (record["input"], record["format"], record["host"]) == (input, format, "sender-1")
        assert (record["app"], record["facility"]) == ("numbers", "local3")
        assert (record["severity"], record["level"]) == ("notice", "INFO")
    page = daemon.metrics()
    assert page.sum("logops_malformed_total") == 0
    assert page.unaccounted(input) == 0


# --- loggen ---------------------------------------------------------------------------------


def loggen_numbers(records: Sequence[Record]) -> list[int]:
    """Return the numbers that loggen gave its messages, sorted."""
    return sorted(int(re.findall(r"seq: (\d+)", record["msg"])[0]) for record in records)


def test_loggen(daemon: Daemon) -> None:
    """The line on the page."""
    command = block("loggen", daemon, "tcp").split()
    run([need(command[0]), *command[1:]])

    assert loggen_numbers(daemon.wait_records(MESSAGES)) == NUMBERS


@pytest.mark.parametrize(
    ("input", "options", "format"),
    [
        ("udp", ["--inet", "--dgram"], "rfc3164"),
        ("tcp", ["--inet", "--stream", "--syslog-proto"], "rfc5424"),
        ("tcp", ["--inet", "--stream", "--syslog-proto", "--no-framing"], "rfc5424"),
        ("tls", ["--use-ssl", "--syslog-proto"], "rfc5424"),
    ],
)
def test_loggen_in_other_modes(
    make_daemon: MakeDaemon, tmp_path: Path, input: str, options: list[str], format: str
) -> None:
    """Datagrams, counted frames, lines of RFC 5424, and TLS without a certificate of its own."""
    settings = {}
    if input == "tls":
        settings = Tls(tmp_path).settings
        del settings["LOGOPS_TLS_CLIENT_CA"]
    daemon = make_daemon(settings).start()
    count = ["--number", str(MESSAGES), "--rate", "100000", "--quiet"]
    run([need("loggen"), *options, *count, "127.0.0.1", daemon.port(input)])

    records = daemon.wait_records(MESSAGES)
    assert loggen_numbers(records) == NUMBERS
    assert {(record["input"], record["format"]) for record in records} == {(input, format)}
    assert daemon.metrics().sum("logops_malformed_total") == 0


@pytest.mark.parametrize("kind", ["stream", "dgram"])
def test_loggen_on_a_unix_socket(make_daemon: MakeDaemon, short_path: Path, kind: str) -> None:
    """A stream and a datagram socket take a thousand messages each."""
    path = str(short_path / "log")
    daemon = make_daemon({f"LOGOPS_UNIX_{kind.upper()}": path}).start()
    count = ["--number", str(MESSAGES), "--rate", "100000", "--quiet"]
    run([need("loggen"), "--unix", f"--{kind}", *count, path])

    assert loggen_numbers(daemon.wait_records(MESSAGES)) == NUMBERS


# --- web servers ----------------------------------------------------------------------------


@contextlib.contextmanager
def web_server(command: Sequence[str | Path], port_file: Path, log: Path) -> Iterator[None]:
    """Run one that listens on the Unix socket `port_file`."""
    with process(command, log):
        wait_for(port_file.exists, "the web server", hint=lambda: log.read_text()[-2000:])
        yield


def ask(path: Path, *requests: bytes) -> None:
    """Send requests to a web server on a Unix socket, all on one connection."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(DEADLINE_SECONDS)
        sock.connect(str(path))
        for request in requests:
            sock.sendall(b"GET /%s HTTP/1.1\r\nHost: shop\r\n\r\n" % request)
            answer = b""
            while not answer.endswith(b"end"):
                piece = sock.recv(4096)
                assert piece, answer
                answer += piece


PAGES = [b"page/%d" % number for number in NUMBERS]


def pages(records: Sequence[Record]) -> list[int]:
    """Return the numbers of the pages in the messages, in order."""
    return [int(number) for r in records for number in re.findall(r"/page/(\d+)", r["msg"])]


def test_nginx(daemon: Daemon, short_path: Path) -> None:
    """A thousand access lines and an error are records, with facility, tag and severity."""
    sock = short_path / "nginx.sock"
    temporary = "\n".join(
        f"{name}_temp_path {short_path / name};"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    config = short_path / "nginx.conf"
    config.write_text(
        f"""daemon off; master_process off; pid {short_path / "nginx.pid"};
error_log stderr;
events {{ }}
http {{
{temporary}
keepalive_requests 10000;
{block("nginx", daemon, "udp")}
server {{
    listen unix:{sock};
    root /nowhere;
    location /page/ {{ return 200 "end"; }}
    location = /end {{ internal; return 404 "end"; }}
    error_page 404 /end;
}} }}
"""
    )
    command: list[str | Path] = [need("nginx"), "-e", "stderr", "-p", short_path, "-c", config]
    with web_server(command, sock, short_path / "output.log"):
        ask(sock, *PAGES, b"missing")
        records = daemon.wait_records(MESSAGES + 2)

    assert pages(records) == NUMBERS
    for record in records:
        assert (record["app"], record["facility"]) == ("nginx", "local7")
    (error,) = [record for record in records if record["level"] == "ERROR"]
    assert "/nowhere/missing" in error["msg"]
    assert daemon.metrics().sum("logops_missing_ts_total") == 0


@pytest.mark.parametrize(("name", "input"), [("haproxy-udp", "udp"), ("haproxy-tcp", "tcp")])
def test_haproxy(daemon: Daemon, short_path: Path, name: str, input: str) -> None:
    """A thousand requests are records, by datagrams or counted frames."""
    sock = short_path / "haproxy.sock"
    config = short_path / "haproxy.cfg"
    config.write_text(
        f"""{block(name, daemon, input)}
    mode http
    timeout client 30s
    timeout server 30s
    timeout connect 5s
frontend shop
    bind unix@{sock}
    http-request return status 200 content-type text/plain string end
"""
    )
    with web_server([need("haproxy"), "-db", "-f", config], sock, short_path / "output.log"):
        ask(sock, *PAGES)
        daemon.wait_for(lambda: b"/page/999 " in daemon.raw(), "the last request")

    records = [record for record in daemon.records() if "/page/" in record["msg"]]
    assert pages(records) == NUMBERS
    for record in records:
        assert (record["app"], record["facility"]) == ("haproxy", "local0")
        assert (record["input"], record["format"]) == (input, "rfc5424")
    assert daemon.metrics().sum("logops_malformed_total") == 0


# --- journald -------------------------------------------------------------------------------


def test_what_journald_forwards(make_daemon: MakeDaemon, short_path: Path) -> None:
    """Its datagrams, which name no host, at the socket where it sends them."""
    name, _, path = blocks()["journald-forward-settings"].strip().partition("=")
    assert path == "/run/systemd/journal/syslog"
    daemon = make_daemon({name: str(short_path / "syslog")}).start()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.connect(str(short_path / "syslog"))
        for number in NUMBERS:
            sock.send(b"<30>Nov 23 17:00:00 cron[12]: message number %d" % number)

    records = daemon.wait_records(MESSAGES)
    assert [r["msg"] for r in records] == [f"message number {n}" for n in NUMBERS]
    assert {(r["app"], r["procid"], r["facility"]) for r in records} == {("cron", "12", "daemon")}
    assert not any("host" in record for record in records)


def test_journal_upload(daemon: Daemon, tmp_path: Path) -> None:
    """A journal file goes to the address on the page; the uploader takes it as an option."""
    journal = write_journal(tmp_path / "a.journal", range(MESSAGES))
    url = block("journal-upload", daemon, "http").partition("URL=")[2].strip()
    done = upload(url, journal, tmp_path / "state")

    assert done.returncode == 0, done.stderr
    assert [int(record["msg"].split()[1]) for record in daemon.records()] == NUMBERS


# --- shippers, which are not to be had here: requests as they send them ----------------------

SHIPPED = {
    "fluent-bit": (
        "application/json",
        b'[{"ts":"2026-11-23T18:00:00.123456Z","log":"message number 0","stream":"stderr"}]',
    ),
    "vector": (
        "application/x-ndjson",
        b'{"host":"web1","message":"message number 0","timestamp":"2026-11-23T18:00:00.123456Z"}\n',
    ),
    "otel-collector": (
        "application/json",
        b'{"resourceLogs":[{"resource":{},"scopeLogs":[{"scope":{},"logRecords":[{"timeUnixNano":'
        b'"1795456800123456000","body":{"stringValue":"message number 0"}}]}]}]}',
    ),
}


@pytest.mark.parametrize("name", SHIPPED)
def test_requests_of_shippers(daemon: Daemon, name: str) -> None:
    """The path on the page takes a gzip body of that type, with its time and message."""
    content_type, body = SHIPPED[name]
    text = block(name, daemon, "http")
    assert "/v1/logs" in text
    headers = {"Content-Type": content_type, "Content-Encoding": "gzip"}
    request = urllib.request.Request(daemon.url("/v1/logs"), gzip.compress(body), headers)
    with urllib.request.urlopen(request, timeout=DEADLINE_SECONDS) as answer:
        assert answer.status == 200

    (record,) = daemon.records()
    assert (record["msg"], record["ts"]) == ("message number 0", "2026-11-23T18:00:00.123456Z")


# --- Python and the command line ------------------------------------------------------------


def test_python(daemon: Daemon) -> None:
    """The block sends a thousand messages of a program over TCP."""
    program = block("python", daemon, "tcp")
    program += f"for n in range({MESSAGES}):\n    logging.warning('message number %d', n)\n"
    run([sys.executable, "-c", program])

    records = daemon.wait_records(MESSAGES)
    assert [r["msg"] for r in records] == [f"WARNING message number {n}" for n in NUMBERS]
    assert {(r["app"], r["facility"], r["level"]) for r in records} == {("shop", "local0", "WARN")}


def shell(text: str, stdin: bytes = b"", cwd: Path | None = None) -> None:
    """Run what the page says to type."""
    subprocess.run(
        ["/bin/sh", "-c", text], input=stdin, cwd=cwd, check=True, timeout=DEADLINE_SECONDS
    )


def test_logger(daemon: Daemon) -> None:
    """The line on the page."""
    need("logger")
    shell(block("logger", daemon, "tcp"))

    (record,) = daemon.wait_records(1)
    assert (record["msg"], record["app"], record["format"]) == ("hello", "backup", "rfc5424")


def test_curl_with_gzip(daemon: Daemon, tmp_path: Path) -> None:
    """The line on the page, with a thousand records; they are stored when curl has ended."""
    need("curl")
    lines = "".join(json.dumps({"msg": f"message number {n}"}) + "\n" for n in NUMBERS)
    (tmp_path / "records.ndjson").write_text(lines)
    shell(block("curl", daemon, "http"), cwd=tmp_path)

    assert [r["msg"] for r in daemon.records()] == [f"message number {n}" for n in NUMBERS]


def test_openssl(make_daemon: MakeDaemon, tmp_path: Path) -> None:
    """The line on the page, with a thousand lines."""
    need("openssl")
    tls = Tls(tmp_path)
    del tls.settings["LOGOPS_TLS_CLIENT_CA"]
    daemon = make_daemon(tls.settings).start()
    write_numbers(tmp_path / "lines.txt", NUMBERS)
    shell(block("openssl", daemon, "tls", host="localhost", replace=tls.trust), cwd=tmp_path)

    assert wait_numbers(daemon, NUMBERS) == NUMBERS
