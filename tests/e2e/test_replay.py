"""`logopsd replay` from one daemon's files to another daemon, and through a pipe."""

import asyncio
import json
import re
import signal
import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import MakeDaemon
from tests.e2e.harness import (
    DEADLINE_SECONDS,
    Daemon,
    clean_environment,
    end,
    lasting_ports,
    logopsd,
)
from tests.nats_server import NatsServer, client_of, make_stream

KEPT = ("ts", "level", "msg", "emitter", "facility", "severity", "app", "procid", "msgid", "sd")
"""Fields that mean the same after a replay."""

OF_THE_FIRST = ("received", "input", "peer", "format", "guessed", "ts_orig", "msg_enc")
"""What the first receiver said of a record, and the second keeps as `<name>_orig`."""

MESSAGES = [
    b'<34>1 2026-11-23T10:00:00.123456+01:00 192.0.2.77 app 77 ID1 [x@1 k="v"] '
    b"login of jan@example.com from 192.0.2.5",
    b"<13>Nov 23 10:00:00 web1 cron[12]: card 4111 1111 1111 1111",
    b"plain words",
]
DOCUMENTS = (
    b'[{"msg": "o", "level": "error", "order_id": 7, "host": "web9", "severity": "crit", '
    b'"user_email": "anna.nowak@example.com", "nested": {"ip": "203.0.113.9"}}, '
    b'{"msg": "x", "ts": "not a time"}]'
)


def replay(daemon: Daemon, *args: str) -> "subprocess.CompletedProcess[str]":
    """Run it where a daemon has its files."""
    return run_in(daemon, "replay", *args)


def run_in(daemon: Daemon, *args: str) -> "subprocess.CompletedProcess[str]":
    """Run a command where a daemon has its files."""
    return subprocess.run(
        logopsd(*args),
        cwd=daemon.directory,
        env=clean_environment({}),
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )


@pytest.mark.parametrize("input", ["http", "tcp"])
def test_records_keep_their_meaning(make_daemon: MakeDaemon, input: str) -> None:
    """At another daemon: what they say is the same, still masked, and nothing is lost."""
    encrypting = {"LOGOPS_ENCRYPT_PII": "true", "LOGOPS_SECRET_KEY": new_key()}
    first = make_daemon(encrypting).start()
    second = make_daemon({}, name="second").start()
    for message in MESSAGES:
        first.send_tcp(message + b"\n")
    assert first.post(DOCUMENTS)[0] == 200
    stored = first.wait_records(5)
    host, port = second.address(input)
    done = replay(first, "--to", f"{input}://{host}:{port}")

    assert (done.returncode, done.stdout) == (0, "")
    assert f"replayed 5 records to {input}://{host}:{port}, received from 20" in done.stderr
    for before, after in zip(stored, second.wait_records(5), strict=True):
        assert {name: after.get(name) for name in KEPT} == {n: before.get(n) for n in KEPT}
        for name in OF_THE_FIRST:
            # A record that had an unreadable time already names it ts_orig_orig.
            assert after.get(f"{name}_orig") == before.get(name)
        assert after["input"] == input
        assert "msg_enc" not in after
        extras = before.keys() - {*KEPT, *OF_THE_FIRST, "host"}
        for name in extras:
            assert after[f"{name}_orig" if name.endswith("_enc") else name] == before[name]
        if before.get("host") == "192.0.2.77":  # an address in a payload is masked
            assert after["host_orig"] == "192.0.x.x"
        else:
            assert after.get("host") == before.get("host")


def test_from_the_stream_each_record_comes_once(daemon: Daemon, tmp_path: Path) -> None:
    """Also where it was shipped twice, the second time after the stream had forgotten the first."""
    daemon.send_tcp(b"".join(b"<%d>app: number %d\n" % (11 + n % 5, n) for n in range(300)))
    stored = daemon.wait_records(300)
    with NatsServer(tmp_path) as server:

        async def make() -> None:
            client = await client_of(server.address)
            await make_stream(client, window=0.1)
            await client.close()

        asyncio.run(make())
        for _ in range(2):
            run_in(daemon, "ship", "--once", "--to", server.address)
            (positions,) = daemon.sink.glob(".ship-*.json")
            known = json.loads(positions.read_text())
            positions.write_text(json.dumps(known | {"files": {}}))  # as if nothing was sent
        done = replay(daemon, "--from", server.address)
        warnings = replay(daemon, "--from", server.address, "--level", "error", "--since", "1h")

    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert sorted(found, key=str) == sorted(stored, key=str)
    assert "; 300 held twice by the stream left out" in done.stderr
    of_errors = [r["msg"] for r in stored if r["level"] in ("ERROR", "CRITICAL")]
    assert [json.loads(line)["msg"] for line in warnings.stdout.splitlines()] == of_errors
    assert (done.returncode, warnings.returncode) == (0, 0)


def new_key() -> str:
    """A key."""
    return subprocess.run(
        logopsd("keygen"), env=clean_environment({}), capture_output=True, text=True, check=True
    ).stdout.strip()


def test_a_receiver_that_is_restarted_gets_all(make_daemon: MakeDaemon, tmp_path: Path) -> None:
    """At a rate; what was not answered is sent again, and what may be there twice is said."""
    settings = {"LOGOPS_FSYNC": "always"} | lasting_ports("http")
    second = make_daemon(settings, name="second").start()
    records = [{"msg": f"number {n}", "received": "2026-11-23T12:00:00.000Z"} for n in range(600)]
    (tmp_path / "a.ndjson").write_text("".join(json.dumps(r) + "\n" for r in records))
    child = subprocess.Popen(
        logopsd("replay", "a.ndjson", "--rate", "400", "--to", second.url("")),
        cwd=tmp_path,
        env=clean_environment({}),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        second.wait_for(lambda: b"number 100" in second.raw(), "some records")
        second.signal(signal.SIGKILL)
        second.wait_exit()
        second.start()
        _, err = child.communicate(timeout=DEADLINE_SECONDS)
    finally:
        end(child)
    assert child.returncode == 0, err
    assert "replayed 600 records to http://" in err
    twice = int(found[1]) if (found := re.search(r"(\d+) sent again", err)) else 0
    numbers = [int(record["msg"].split()[1]) for record in second.records()]
    assert sorted(set(numbers)) == list(range(600))
    assert len(numbers) - 600 <= twice


@pytest.mark.parametrize("interrupted", [False, True])
def test_who_leaves_or_interrupts_is_let_go_in_quiet(tmp_path: Path, interrupted: bool) -> None:
    """A reader such as head, and Ctrl-C: no traceback."""
    line = json.dumps({"msg": "m" * 200, "received": "2026-11-23T12:00:00.000Z"}) + "\n"
    (tmp_path / "a.ndjson").write_text(line * 5000)
    child = subprocess.Popen(
        logopsd("replay", "a.ndjson", "--rate", "100" if interrupted else "999999"),
        cwd=tmp_path,
        env=clean_environment({}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == line.encode()
        if interrupted:
            child.send_signal(signal.SIGINT)
        child.stdout.close()
        child.wait(DEADLINE_SECONDS)
        assert child.stderr is not None
        with child.stderr:
            err = child.stderr.read()
    finally:
        end(child)
    assert child.returncode == (130 if interrupted else 1)
    assert err == b"" if not interrupted else err.startswith(b"logopsd: replayed ")
    assert b"Traceback" not in err
