"""A real rsyslogd forwards by RELP, and every message it was answered is in the files."""

import random
import signal
from pathlib import Path

import pytest

from tests.certificates import Authority
from tests.e2e.conftest import MakeDaemon
from tests.e2e.harness import DEADLINE_SECONDS, lasting_ports
from tests.e2e.relp_client import RelpClient
from tests.e2e.rsyslog import MESSAGES, numbers_in, rsyslogd, wait_numbers, write_numbers

MODULES = 'module(load="omrelp" {})'
FORWARD = """
*.* action(
  type="omrelp" target="127.0.0.1" port="{port}" template="RSYSLOG_SyslogProtocol23Format"
  action.resumeRetryCount="-1" {more}
)
"""
TLS = """
  tls="on" tls.caCert="{ca}" tls.myCert="{cert}" tls.myPrivKey="{key}"
  tls.authMode="name" tls.permittedPeer=["logs.example.org"]
"""
ROUNDS = 5
"""How often the daemon is killed, nearly always in the midst of a burst; `make kill` does 200."""

BURST = 4000
"""Messages a round: enough for a kill to come in their midst."""


@pytest.mark.parametrize("library", ["", "gnutls", "openssl"])
def test_rsyslogd_forwards(make_daemon: MakeDaemon, tmp_path: Path, library: str) -> None:
    """A thousand messages arrive once and in order, plain or over TLS with both certificates."""
    authority = Authority(tmp_path / "certificates")
    server = authority.issue("logs.example.org", dns=["logs.example.org"])
    sender = authority.issue("sender-1", dns=["sender-1.example.org"])
    settings = {"LOGOPS_RELP_PORT": "any"}
    modules = more = ""
    if library:
        settings |= {
            "LOGOPS_RELP_TLS": "true",
            "LOGOPS_TLS_CERT": str(server.cert),
            "LOGOPS_TLS_KEY": str(server.key),
            "LOGOPS_TLS_CLIENT_CA": str(authority.cert),
            "LOGOPS_TLS_PERMITTED_PEERS": "sender-1.example.org",
        }
        modules = f'tls.tlslib="{library}"'
        more = TLS.format(ca=authority.cert, cert=sender.cert, key=sender.key)
    daemon = make_daemon(settings).start()
    source = tmp_path / "numbers.txt"
    write_numbers(source, range(MESSAGES))
    action = FORWARD.format(port=daemon.port("relp"), more=more)
    with rsyslogd(tmp_path / "rsyslog", source, modules=MODULES.format(modules), action=action):
        numbers = wait_numbers(daemon, range(MESSAGES))

    assert numbers == list(range(MESSAGES))
    records = [record for record in daemon.records() if record.get("app") == "numbers"]
    assert {(r["input"], r["peer"], r["format"]) for r in records} == {
        ("relp", "127.0.0.1", "rfc5424")
    }
    page = daemon.metrics()
    assert page.sum("logops_malformed_total", input="relp") == 0
    assert page.unaccounted("relp") == 0


def test_nothing_is_lost_when_the_daemon_is_killed(make_daemon: MakeDaemon, tmp_path: Path) -> None:
    """SIGKILL in the midst of the traffic, again and again: every message is in the files."""
    daemon = make_daemon(lasting_ports("relp")).start()
    source = tmp_path / "numbers.txt"
    source.touch()
    chance = random.Random(20)
    amid = 0
    action = FORWARD.format(port=daemon.port("relp"), more='action.resumeInterval="0"')
    with rsyslogd(tmp_path / "rsyslog", source, modules=MODULES.format(""), action=action):
        for number in range(ROUNDS):
            first = number * BURST
            stored = daemon.stored() + chance.randrange(1, BURST // 2)
            write_numbers(source, range(first, first + BURST))
            daemon.wait_for(lambda wanted=stored: daemon.stored() >= wanted, f"{stored} records")
            daemon.signal(signal.SIGKILL)
            daemon.wait_exit()
            amid += first + BURST - 1 not in set(numbers_in(daemon))
            daemon.start()
        numbers = wait_numbers(daemon, range(ROUNDS * BURST))

    assert set(numbers) == set(range(ROUNDS * BURST))
    assert amid  # else nothing was shown
    doubled = len(numbers) - ROUNDS * BURST
    print(f"killed amid a burst {amid} of {ROUNDS} times; {doubled} of {len(numbers)} doubled")


def test_a_restart_loses_nothing(make_daemon: MakeDaemon, tmp_path: Path) -> None:
    """SIGTERM in the midst of the traffic: what is answered is stored, the rest is sent again."""
    daemon = make_daemon(lasting_ports("relp")).start()
    source = tmp_path / "numbers.txt"
    write_numbers(source, range(4 * BURST))
    action = FORWARD.format(port=daemon.port("relp"), more='action.resumeInterval="0"')
    with rsyslogd(tmp_path / "rsyslog", source, modules=MODULES.format(""), action=action):
        daemon.wait_for(lambda: 100 in set(numbers_in(daemon)), "the first messages")
        assert daemon.stop() == 0
        amid = 4 * BURST - 1 not in set(numbers_in(daemon))
        daemon.start()
        numbers = wait_numbers(daemon, range(4 * BURST))

    assert amid
    print(f"{len(numbers) - 4 * BURST} of {len(numbers)} doubled")


@pytest.mark.parametrize("fsync", ["always", "1s"])
def test_an_answer_means_stored(make_daemon: MakeDaemon, fsync: str) -> None:
    """At the moment of an answer its message is in the file, and answers come in order."""
    daemon = make_daemon({"LOGOPS_RELP_PORT": "any", "LOGOPS_FSYNC": fsync}).start()
    with RelpClient(daemon.address("relp"), DEADLINE_SECONDS) as client:
        for number in range(20):
            client.send(b"<13>message number %d" % number)
            assert client.answered() == number + 2
            assert numbers_in(daemon)[-1] == number
        client.close()


def test_the_end_is_said(make_daemon: MakeDaemon) -> None:
    """When the daemon stops, what it has read is stored and answered, and then it says so."""
    daemon = make_daemon({"LOGOPS_RELP_PORT": "any"}).start()
    with RelpClient(daemon.address("relp"), DEADLINE_SECONDS) as client:
        for number in range(MESSAGES):
            client.send(b"<13>message number %d" % number)
        client.flush()
        daemon.wait_for(lambda: numbers_in(daemon), "the first message")
        daemon.signal(signal.SIGTERM)
        rest = client.read_all()

    assert daemon.wait_exit() == 0
    assert rest.endswith(b"\n0 serverclose 0\n")
    answered = rest.count(b" rsp 6 200 OK\n")
    assert numbers_in(daemon) == list(range(answered))
