"""Several workers as one daemon: every record is in one of their files, and the account closes."""

import contextlib
import http.client
import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import MakeDaemon
from tests.e2e.harness import DEADLINE_SECONDS, Daemon, wait_for
from tests.e2e.test_lifetime import HttpClient
from tests.e2e.test_sockets import hand_over

INPUTS = ("udp", "tcp", "http")


@pytest.fixture
def daemon(make_daemon: MakeDaemon) -> Daemon:
    """Return a running daemon of two workers."""
    return make_daemon({"LOGOPS_WORKERS": "2"}).start()


def pid_of(daemon: Daemon, number: int) -> int:
    """The process of a worker, as the log has it."""
    return int(
        next(e["pid"] for e in daemon.events("worker started")[::-1] if e["worker"] == number)
    )


def files(daemon: Daemon) -> set[str]:
    """What ends the names of its files behind the day."""
    return {path.name[8:] for path in daemon.sink.glob("*.ndjson")}


def send_from_many(daemon: Daemon, count: int) -> None:
    """Send a line over so many connections, and a datagram from so many ports."""
    with contextlib.ExitStack() as stack:
        for number in range(count):
            tcp = stack.enter_context(socket.create_connection(daemon.address("tcp")))
            tcp.sendall(b"<13>app: tcp %d\n" % number)
            udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            udp.sendto(b"<13>app: udp %d" % number, daemon.address("udp"))
        daemon.wait_records(2 * count)
    accepted = "logops_accepted_total"  # a moment behind the file: when the receipt is back
    daemon.wait_for(lambda: daemon.metrics().sum(accepted) == 2 * count, "all to be counted")


def test_each_worker_takes_its_part(daemon: Daemon) -> None:
    """What comes from many ports goes to both; one page adds up, and the account closes."""
    send_from_many(daemon, 24)

    messages = [record["msg"] for record in daemon.records()]
    assert sorted(messages) == sorted(f"{i} {n}" for i in ("tcp", "udp") for n in range(24))
    assert files(daemon) == {"-w1.ndjson", "-w2.ndjson"}
    page = daemon.metrics()
    assert [page.sum("logops_accepted_total", input=i) for i in ("tcp", "udp")] == [24, 24]
    assert [page.unaccounted(i) for i in INPUTS] == [0, 0, 0]
    assert (page.sum("logops_workers"), page.sum("logops_worker_restarts_total")) == (2, 0)
    (sender,) = (
        s
        for s in json.loads(daemon.get("/sources", "metrics")[1])["sources"]
        if s["input"] == "tcp"
    )
    assert sender["records"] == 24
    assert daemon.get("/readyz", "metrics")[0] == 200


def test_the_page_shows_all_workers(daemon: Daemon) -> None:
    """Their records, the sum of their figures, and their senders once somebody watches."""
    send_from_many(daemon, 24)
    side = http.client.HTTPConnection(*daemon.address("metrics"), timeout=DEADLINE_SECONDS)
    with contextlib.closing(side):
        side.request("GET", "/events")
        events = read_events(side.getresponse())
        seen: dict = {"records": []}
        for event in events:
            seen = {**seen, **event, "records": seen["records"] + event["records"]}
            if seen["sources"]["known"] and len(seen["records"]) == 48:
                break

    assert seen["state"] is None
    assert [seen["inputs"][i]["accepted"] for i in ("tcp", "udp")] == [24, 24]
    assert {sender["input"] for sender in seen["sources"]["sources"]} == {"tcp", "udp"}
    assert {file["name"][8:] for file in seen["files"]["files"]["newest"]} == files(daemon)
    assert daemon.get("/", "metrics")[0] == 200


def read_events(answer: http.client.HTTPResponse) -> Iterator[dict]:
    """Yield what the stream of the page tells."""
    for line in answer:
        if line.startswith(b"data: "):
            yield json.loads(line.removeprefix(b"data: "))


def test_a_worker_that_is_killed_is_started_again(daemon: Daemon) -> None:
    """It is said so; the other goes on; all that was answered is stored, and the account closes."""
    daemon.allowed.add("worker died")
    clients = [ReturningClient(daemon, n) for n in range(4)]
    for client in clients:
        client.start()
    daemon.wait_for(lambda: all(c.acknowledged for c in clients), "the load to be on")
    first = pid_of(daemon, 1)
    os.kill(first, signal.SIGKILL)
    daemon.wait_for(lambda: pid_of(daemon, 1) != first, "another process")
    page = daemon.metrics()
    assert page.unaccounted("http") == 0
    daemon.wait_for(lambda: daemon.metrics().sum("logops_workers") == 2, "it to be ready")
    marks = [len(client.acknowledged) for client in clients]
    daemon.wait_for(
        lambda: all(len(c.acknowledged) > m for c, m in zip(clients, marks, strict=True)),
        "all clients to go on",
    )
    for client in clients:
        client.ending.set()
        client.join()

    (died,) = daemon.events("worker died")
    assert (died["worker"], died["status"]) == (1, "SIGKILL")
    later = daemon.metrics()
    assert later.sum("logops_worker_restarts_total") == 1
    assert later.unaccounted("http") == 0
    assert daemon.stop() == 0
    stored = {record["msg"] for record in daemon.records()}
    for client in clients:
        assert client.acknowledged <= stored
    state = json.loads((daemon.sink / ".account.json").read_bytes())
    assert (state["clean"], state["interrupted"]) == (True, 1)


class ReturningClient(threading.Thread):
    """Posts records, and connects again where the connection breaks."""

    def __init__(self, daemon: Daemon, number: int) -> None:
        super().__init__()
        self.acknowledged: set[str] = set()
        self.ending = threading.Event()
        self._address = daemon.address("http")
        self._name = f"client {number}"

    def run(self) -> None:
        """Go on until told to end."""
        number = 0
        while not self.ending.is_set():
            connection = http.client.HTTPConnection(*self._address, timeout=DEADLINE_SECONDS)
            with (
                contextlib.closing(connection),
                contextlib.suppress(OSError, http.client.HTTPException),
            ):
                while not self.ending.is_set():
                    number += 1
                    message = f"{self._name}: {number}"
                    connection.request(
                        "POST",
                        "/v1/logs",
                        json.dumps({"msg": message}),
                        {"Content-Type": "application/json"},
                    )
                    answer = connection.getresponse()
                    answer.read()
                    if answer.status == 200:
                        self.acknowledged.add(message)


def test_a_worker_that_hangs_is_killed(make_daemon: MakeDaemon, tmp_path: Path) -> None:
    """A scrape goes on with what it said last; then it is killed and started again."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(tmp_path / "notify"))
        daemon = make_daemon({"LOGOPS_WORKERS": "2"})
        daemon.allowed |= {"worker hangs", "worker died"}
        daemon.env |= {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "2000000"}
        daemon.start()
        send_from_many(daemon, 8)
        hanging = pid_of(daemon, 2)
        os.kill(hanging, signal.SIGSTOP)
        assert daemon.metrics().sum("logops_accepted_total") == 16
        daemon.wait_for(lambda: pid_of(daemon, 2) != hanging, "another process")
        said = notify.recv(4096).decode() + notify.recv(4096).decode()

    assert "READY=1" in said
    assert daemon.events("worker hangs")[0]["worker"] == 2


def test_a_reload_reaches_all_workers(make_daemon: MakeDaemon) -> None:
    """What SIGHUP can change does so in each; a bad file changes nothing in any."""
    daemon = make_daemon({"LOGOPS_WORKERS": "2"})
    daemon.allowed.add("reload refused")
    daemon.directory.mkdir()
    (daemon.directory / ".env").write_text("LOGOPS_MASK_FIELDS=none\n")
    daemon.start()
    (daemon.directory / ".env").write_text(
        "LOGOPS_MASK_FIELDS=host\nLOGOPS_PII_KEEP=192.0.2.0/24\n"
    )
    daemon.signal(signal.SIGHUP)
    daemon.wait_for(lambda: daemon.events("reload"), "the reload")
    (daemon.directory / ".env").write_text("LOGOPS_PII_KEEP=nonsense\n")
    daemon.signal(signal.SIGHUP)
    daemon.wait_for(lambda: daemon.events("reload refused"), "the refusal")
    with contextlib.ExitStack() as stack:
        for _ in range(16):
            tcp = stack.enter_context(socket.create_connection(daemon.address("tcp")))
            tcp.sendall(b"<13>app: from 192.0.2.7 and 198.51.100.7\n")
        records = daemon.wait_records(16)

    assert daemon.stop(signal.SIGINT) == 0
    assert {record["msg"] for record in records} == {"from 192.0.2.7 and 198.51.x.x"}
    assert files(daemon) == {"-w1.ndjson", "-w2.ndjson"}


def test_the_end_loses_nothing(daemon: Daemon) -> None:
    """What both workers have taken is stored, within the time promised; status 0."""
    clients = [HttpClient(daemon) for _ in range(4)]
    for client in clients:
        client.start()
    daemon.wait_for(lambda: all(len(c.acknowledged) > 200 for c in clients), "the load to be on")
    daemon.send_udp(*(b"udp %d" % n for n in range(200)))
    assert daemon.stop() == 0
    for client in clients:
        client.join()

    stored = [record["msg"] for record in daemon.records()]
    assert sorted(m for m in stored if m.startswith("udp")) == sorted(
        f"udp {n}" for n in range(200)
    )
    for client in clients:
        assert {f"http {n}" for n in client.acknowledged} <= set(stored)


def test_sockets_that_are_handed_over_are_shared(make_daemon: MakeDaemon) -> None:
    """What systemd opened is read by whoever is first; what came before the start is there."""
    daemon = make_daemon({"LOGOPS_WORKERS": "2"})
    with contextlib.ExitStack() as stack:
        socks = {}
        for name in ("udp", "tcp", "http", "metrics"):
            kind = socket.SOCK_DGRAM if name == "udp" else socket.SOCK_STREAM
            socks[name] = stack.enter_context(socket.socket(socket.AF_INET, kind))
            socks[name].bind(("127.0.0.1", 0))
        hand_over(daemon, socks)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"<13>app: early", socks["udp"].getsockname())
        daemon.start()
        assert {name: daemon.address(name) for name in socks} == {
            name: sock.getsockname() for name, sock in socks.items()
        }
        daemon.send_tcp(b"<13>app: by tcp\n")
        assert daemon.post(b'{"msg": "by http"}')[0] == 200
        records = daemon.wait_records(3)
        page = daemon.metrics()

    assert {record["msg"] for record in records} == {"early", "by tcp", "by http"}
    assert [page.unaccounted(input) for input in INPUTS] == [0, 0, 0]


def test_workers_end_with_their_supervisor(daemon: Daemon) -> None:
    """Where that is killed, they store what they have taken and end; the next start is clean."""
    daemon.allowed.add("supervisor gone")
    workers = [pid_of(daemon, 1), pid_of(daemon, 2)]
    with contextlib.ExitStack() as stack:
        for number in range(8):
            tcp = stack.enter_context(socket.create_connection(daemon.address("tcp")))
            tcp.sendall(b"<13>app: tcp %d\n" % number)
        daemon.stop(signal.SIGKILL)
        wait_for(lambda: not any(map(is_alive, workers)), "the workers to end", hint=daemon.tail)

    assert sorted(record["msg"] for record in daemon.records()) == [f"tcp {n}" for n in range(8)]
    daemon.start()
    assert daemon.stop() == 0


def is_alive(pid: int) -> bool:
    """Whether a process runs."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_what_no_worker_can_use_ends_the_start(make_daemon: MakeDaemon) -> None:
    """With the status and the words that one process alone would have."""
    daemon = make_daemon({"LOGOPS_WORKERS": "2"})
    daemon.allowed |= {"worker did not start"}
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        hand_over(daemon, {"tls": sock})
        daemon.spawn()
        assert daemon.wait_exit() == 78
    assert "systemd hands over a socket named tls" in daemon.log_text()
    daemon.log_file.write_text("")  # it said so as a command line does, which is no JSON
