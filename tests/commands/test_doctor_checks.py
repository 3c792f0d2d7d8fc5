"""The doctor's checks against hosts that are broken in one way each; each names its mend."""

import fcntl
import os
import socket
import time
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace

import pytest

from logopsd.commands import keeping, ports
from logopsd.commands.findings import Finding, lines, problem
from logopsd.config import Settings, load
from logopsd.privacy.tokens import TokenMaker, new_key
from tests.certificates import Authority

NOW = time.time()
GIB = 1024**3


def settings(directory: Path, **given: object) -> Settings:
    """Make settings in a directory, all ports but those given off."""
    off = {f"LOGOPS_{name}_PORT": "0" for name in ("UDP", "TCP", "HTTP", "METRICS")}
    environ = off | {f"LOGOPS_{name.upper()}": str(value) for name, value in given.items()}
    return load(environ, directory=directory)


def only(findings: Iterable[Finding]) -> Finding:
    """Return the one finding there is."""
    (finding,) = findings
    return finding


def running(**more: object) -> dict[str, object]:
    """What a daemon with UDP and TCP says of itself."""
    return {"inputs": {"udp": {}, "tcp": {}}, "kernel_drops": 0, "process": {}} | more


@pytest.mark.parametrize(("input", "kind"), [("udp", "SOCK_DGRAM"), ("tcp", "SOCK_STREAM")])
def test_a_taken_port_names_who_has_it(tmp_path: Path, input: str, kind: str) -> None:
    """Unless that is our own daemon; one that is free beside a daemon wants a restart."""
    with socket.socket(socket.AF_INET, getattr(socket, kind)) as taken:
        taken.bind(("127.0.0.1", 0))
        if input == "tcp":
            taken.listen()
        number = taken.getsockname()[1]
        wanted = settings(tmp_path, **{f"{input}_port": number})
        found = only(ports.check_ports(wanted, None))
        ours = only(ports.check_ports(wanted, running()))
    assert (found.status, found.check) == ("problem", f"port {input}")
    assert f"127.0.0.1:{number}: another program has it (" in found.text
    assert f"pid {os.getpid()})" in found.text
    assert found.mend == f"stop that one, or choose another LOGOPS_{input.upper()}_PORT"
    assert (ours.status, "the running daemon's" in ours.text) == ("ok", True)
    assert only(ports.check_ports(wanted, None)).status == "ok"
    stale = only(ports.check_ports(wanted, running()))
    assert (stale.status, "restart the daemon" in stale.mend) == ("warning", True)


def test_an_address_of_another_machine_is_told(tmp_path: Path) -> None:
    """With the setting that holds it."""
    wanted = settings(tmp_path, udp_port=5514, bind="192.0.2.1")
    found = only(ports.check_ports(wanted, None))
    assert (found.status, found.mend) == ("problem", "change LOGOPS_BIND")
    assert only(ports.check_ports(settings(tmp_path, udp_port="any"), None)).status == "ok"


def test_unix_sockets(tmp_path: Path) -> None:
    """Free, left over, taken, no socket, no directory."""
    path = tmp_path / "log"
    wanted = settings(tmp_path, unix_dgram=path)
    assert only(ports.check_ports(wanted, None)).status == "ok"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as taken:
        taken.bind(str(path))
        assert "another program" in only(ports.check_ports(wanted, None)).text
        assert only(ports.check_ports(wanted, running())).status == "ok"
    assert "left over" in only(ports.check_ports(wanted, None)).text
    path.unlink()
    path.write_text("")
    assert "remove it" in only(ports.check_ports(wanted, None)).mend
    wanted = settings(tmp_path, unix_stream=tmp_path / "missing" / "log")
    assert "create it" in only(ports.check_ports(wanted, None)).mend


def test_a_tiny_receive_buffer_names_the_sysctl(tmp_path: Path) -> None:
    """And so do datagrams that the kernel dropped."""
    wanted = settings(tmp_path, udp_port=5514)
    found = only(ports.check_buffer(wanted, None, lambda *_: 212_992))
    assert (found.status, found.text) == ("warning", "208 KiB granted of 8192 KiB asked")
    assert "sysctl -w net.core.rmem_max=8388608" in found.mend
    assert only(ports.check_buffer(wanted, running(), lambda _, size: size)).status == "ok"
    dropped = only(ports.check_buffer(wanted, running(kernel_drops=7), lambda _, size: size))
    assert (dropped.status, "dropped 7" in dropped.text) == ("warning", True)
    assert list(ports.check_buffer(settings(tmp_path), None)) == []


def test_a_wrong_key_does_not_open_what_is_stored(tmp_path: Path) -> None:
    """The former one must be among the old; the right one is fine."""
    old, new = new_key(os.urandom), new_key(os.urandom)
    wanted = settings(tmp_path, encrypt_pii="true", secret_key=new)
    assert "no stored token" in only(keeping.check_key(wanted)).text
    token = TokenMaker([old], random_bytes=os.urandom).encrypt_one("x", NOW)
    wanted.sink_dir.mkdir(parents=True)
    (wanted.sink_dir / "20261123.ndjson").write_text(f'{{"msg":"x","msg_enc":"{token}"}}\n')
    found = only(keeping.check_key(wanted))
    assert (found.status, "LOGOPS_SECRET_KEYS_OLD" in found.mend) == ("problem", True)
    assert old not in str(found)
    right = settings(tmp_path, encrypt_pii="true", secret_key=new, secret_keys_old=old)
    assert only(keeping.check_key(right)).status == "ok"
    assert only(keeping.check_key(settings(tmp_path))).status == "ok"


def test_certificates(tmp_path: Path) -> None:
    """Good, soon over, expired, with another's key, and with a chain that is none."""
    authority = Authority(tmp_path / "ca")
    one, other = authority.issue("one", days=90), authority.issue("other", days=90)

    def check(cert: Path, key: Path, days: float = 0) -> Finding:
        wanted = settings(tmp_path, tls_port=6514, tls_cert=cert, tls_key=key)
        return only(keeping.check_certificates(wanted, NOW + days * 86400))

    good = check(one.cert, one.key)
    assert (good.status, good.text) == ("ok", "its key and chain fit, 90 days left")
    assert check(one.cert, one.key, days=80).status == "warning"
    expired = check(one.cert, one.key, days=93)
    assert (expired.status, "expired 3 days ago" in expired.text) == ("problem", True)
    assert f"renew {one.cert}" in expired.mend
    wrong = check(one.cert, other.key)
    assert (wrong.status, "is not the key" in wrong.text, wrong.mend) == (
        "problem",
        True,
        "name that one",
    )
    chain = tmp_path / "chain.pem"
    chain.write_bytes(one.cert.read_bytes() + authority.cert.read_bytes())
    assert check(chain, one.key).status == "ok"
    chain.write_bytes(one.cert.read_bytes() + other.cert.read_bytes())
    assert "not issued by the one behind it" in check(chain, one.key).text
    assert list(keeping.check_certificates(settings(tmp_path), NOW)) == []


def test_a_clock_behind_the_newest_file(tmp_path: Path) -> None:
    """By its day, and by when it was written; and one of before this program."""
    assert only(keeping.check_clock(tmp_path, NOW)).status == "ok"
    for name in ("", "-w2"):
        newest = tmp_path / f"{time.strftime('%Y%m%d', time.gmtime(NOW))}{name}.ndjson"
        newest.write_text("")
        os.utime(newest, (NOW, NOW))  # the tests before may have taken a minute
    assert only(keeping.check_clock(tmp_path, NOW)).status == "ok"
    for ago, said in ((900, "from now"), (2 * 86400, "is there"), (40 * 365 * 86400, "before")):
        if ago == 900 and NOW % 86400 < 900:
            continue  # yesterday, then
        found = only(keeping.check_clock(tmp_path, NOW - ago))
        assert (found.status, said in found.text) == ("problem", True), found
        assert "timedatectl" in found.mend


@pytest.mark.parametrize(
    ("free", "status", "said"),
    [
        (500 * GIB, "ok", "enough for 30 days"),
        (20 * GIB, "warning", "full in 10.0 days, 30 are to be kept"),
        (1 * GIB, "problem", "full in 0.5 days"),
        (1024, "problem", "the daemon writes nothing below 16 MiB"),
    ],
)
def test_room_against_retention_and_rate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, status: str, said: str
) -> None:
    """At 1 GiB by noon; the mend names the settings."""
    noon = 1_795_435_200.0
    monkeypatch.setattr(keeping, "_stored", lambda *_: (GIB, 2 * GIB))
    disk = SimpleNamespace(f_bavail=free, f_frsize=1, f_files=9, f_favail=9)
    found = only(keeping.check_room(settings(tmp_path), noon, lambda _: disk))  # type: ignore[arg-type, return-value]
    assert (found.status, said in found.text) == (status, True), found
    assert bool(found.mend) == (status != "ok")
    if found.mend:
        assert "LOGOPS_RETENTION_DAYS" in found.mend


def test_a_limit_of_bytes_bounds_what_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And inodes may run out as well."""
    monkeypatch.setattr(keeping, "_stored", lambda *_: (GIB, 2 * GIB))
    disk = SimpleNamespace(f_bavail=5 * GIB, f_frsize=1, f_files=9, f_favail=9)
    bounded = settings(tmp_path, retention_max_bytes="4GiB")
    assert only(keeping.check_room(bounded, NOW, lambda _: disk)).status == "ok"  # type: ignore[arg-type, return-value]
    disk.f_favail = 0
    assert "inodes" in only(keeping.check_room(bounded, NOW, lambda _: disk)).text  # type: ignore[arg-type, return-value]


def test_the_rate_is_that_of_today(tmp_path: Path) -> None:
    """Or yesterday's, while today is young; split files count."""
    noon = 1_795_435_200.0
    assert noon % 86400 == 0.5 * 86400
    today = time.strftime("%Y%m%d", time.gmtime(noon))
    before = time.strftime("%Y%m%d", time.gmtime(noon - 86400))
    (tmp_path / "split").mkdir()
    (tmp_path / f"{today}.ndjson").write_bytes(bytes(60))
    (tmp_path / "split" / f"{today}-error.ndjson").write_bytes(bytes(40))
    (tmp_path / f"{before}.ndjson").write_bytes(bytes(9000))
    assert keeping._stored(tmp_path, noon) == (9100, 200)
    assert keeping._stored(tmp_path, noon - 43200 + 60) == (9100, 9000)


def test_the_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made, not there, no directory, locked by one that does not answer, not writable."""
    wanted = settings(tmp_path)
    assert "can be made" in only(keeping.check_directory(wanted, None)).text
    wanted.sink_dir.mkdir(parents=True)
    assert only(keeping.check_directory(wanted, None)).status == "ok"
    with (wanted.sink_dir / ".lock").open("w") as lock:
        lock.write("4711\n")
        lock.flush()
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = only(keeping.check_directory(wanted, None))
        assert (found.status, "locked by process 4711" in found.text) == ("problem", True)
        assert "LOGOPS_SINK_DIR" in found.mend
        assert only(keeping.check_directory(wanted, running())).status == "ok"
    assert only(keeping.check_directory(wanted, None)).status == "ok"
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert "permissions" in only(keeping.check_directory(wanted, None)).mend
    file = tmp_path / "file"
    file.write_text("")
    found = only(keeping.check_directory(settings(tmp_path, sink_dir=file), None))
    assert "choose another LOGOPS_SINK_DIR" in found.mend


def test_descriptors_of_the_daemon(tmp_path: Path) -> None:
    """Where one runs, its own limit is what counts."""
    wanted = settings(tmp_path, max_connections=1000)
    few = only(keeping.check_descriptors(wanted, running(process={"max_files": 1024})))
    assert (few.status, "LimitNOFILE=1064" in few.mend) == ("warning", True)
    assert (
        only(keeping.check_descriptors(wanted, running(process={"max_files": 2048}))).status == "ok"
    )


def test_descriptors_of_each_worker(tmp_path: Path) -> None:
    """Each needs room for its part of the connections."""
    wanted = settings(tmp_path, max_connections=1000, workers=4)
    found = only(keeping.check_descriptors(wanted, running(process={"max_files": 1024})))
    assert (found.status, "314 wanted" in found.text) == ("ok", True)


def test_a_finding_fits_the_terminal() -> None:
    """Its mend stands below it; nothing of it moves the cursor."""
    shown = list(lines(problem("disk", "full \x1b[2J " * 20, "free some"), colour=False, width=80))
    assert shown[0].startswith("problem  disk           full")
    assert shown[-1].strip() == "mend: free some"
    assert all(len(line) <= 80 and line.isprintable() for line in shown)
    assert next(lines(problem("a", "b", ""), colour=True, width=80)).startswith("\x1b[31mproblem ")
