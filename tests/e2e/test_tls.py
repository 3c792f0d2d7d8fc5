"""Real senders speak TLS to the daemon, with certificates on both sides."""

import os
import signal
import socket
import ssl
import subprocess
from pathlib import Path

import pytest

from tests.certificates import Authority, Issued
from tests.e2e.conftest import MakeDaemon
from tests.e2e.harness import DEADLINE_SECONDS, Daemon, logopsd, need, run
from tests.e2e.relp_client import RelpClient
from tests.e2e.rsyslog import MESSAGES, rsyslogd, wait_numbers, write_numbers
from tests.e2e.test_sockets import hand_over

FORWARD = """
*.* action(
  type="omfwd" target="127.0.0.1" port="{port}" protocol="tcp" tcp_framing="{framing}"
  template="RSYSLOG_SyslogProtocol23Format" action.resumeRetryCount="-1"
  StreamDriver="{driver}" StreamDriverMode="1"
  StreamDriverAuthMode="x509/name" StreamDriverPermittedPeers="logs.example.org"
)
"""


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """An authority that both sides trust."""
    return Authority(tmp_path / "certificates")


@pytest.fixture
def server(authority: Authority) -> Issued:
    """The certificate of the daemon."""
    return authority.issue("logs.example.org", dns=["logs.example.org"])


@pytest.fixture
def sender(authority: Authority) -> Issued:
    """The certificate of a sender."""
    return authority.issue("sender-1.example.org", dns=["sender-1.example.org"])


def tls(server: Issued, **more: object) -> dict[str, str]:
    """Settings of an input that speaks TLS."""
    settings = {
        "LOGOPS_TLS_PORT": "any",
        "LOGOPS_TLS_CERT": str(server.cert),
        "LOGOPS_TLS_KEY": str(server.key),
    }
    return settings | {f"LOGOPS_TLS_{name.upper()}": str(value) for name, value in more.items()}


def dial(daemon: Daemon, context: ssl.SSLContext) -> ssl.SSLSocket:
    """Connect and shake hands."""
    plain = socket.create_connection(daemon.address("tls"), timeout=DEADLINE_SECONDS)
    try:
        return context.wrap_socket(plain, server_hostname="logs.example.org")
    except OSError:
        plain.close()
        raise


def refused(daemon: Daemon, context: ssl.SSLContext) -> bool:
    """Whether a client finds its connection closed; with TLS 1.3 it learns it when it reads."""
    try:
        with dial(daemon, context) as sock:
            sock.sendall(b"<13>never\n")
            return sock.recv(1) == b""
    except OSError:
        return True


@pytest.mark.parametrize(
    ("driver", "framing"), [("gtls", "traditional"), ("ossl", "octet-counted")]
)
def test_rsyslogd_with_certificates_on_both_sides(
    make_daemon: MakeDaemon,
    tmp_path: Path,
    authority: Authority,
    server: Issued,
    sender: Issued,
    driver: str,
    framing: str,
) -> None:
    """A thousand messages arrive once and in order, in either framing, from a permitted sender."""
    daemon = make_daemon(
        tls(server, client_ca=authority.cert, permitted_peers="*.example.org")
    ).start()
    source = tmp_path / "numbers.txt"
    write_numbers(source, range(MESSAGES))
    action = FORWARD.format(port=daemon.port("tls"), driver=driver, framing=framing)
    more = (
        f'defaultNetstreamDriverCAFile="{authority.cert}" '
        f'defaultNetstreamDriverCertFile="{sender.cert}" '
        f'defaultNetstreamDriverKeyFile="{sender.key}"'
    )
    with rsyslogd(tmp_path / "rsyslog", source, action=action, more=more):
        numbers = wait_numbers(daemon, range(MESSAGES))

    assert numbers == list(range(MESSAGES))
    records = [record for record in daemon.records() if record.get("app") == "numbers"]
    assert {(r["input"], r["peer"], r["format"]) for r in records} == {
        ("tls", "127.0.0.1", "rfc5424")
    }
    page = daemon.metrics()
    assert page.sum("logops_malformed_total", input="tls") == 0
    assert page.sum("logops_tls_certificate_expiry_timestamp_seconds") == server.expires
    assert page.unaccounted("tls") == 0


def test_openssl_s_client(make_daemon: MakeDaemon, authority: Authority, server: Issued) -> None:
    """A thousand lines from a client that asks for no certificate, and shows none."""
    daemon = make_daemon(tls(server)).start()
    lines = b"".join(b"<13>message number %d\n" % n for n in range(MESSAGES))
    command = [need("openssl"), "s_client", "-quiet", "-no_ign_eof", "-verify_return_error"]
    command += ["-connect", f"127.0.0.1:{daemon.port('tls')}", "-CAfile", str(authority.cert)]
    run([*command, "-verify_hostname", "logs.example.org"], stdin=lines)

    assert [r["msg"] for r in daemon.wait_records(MESSAGES)] == [
        f"message number {n}" for n in range(MESSAGES)
    ]


def test_a_sender_that_closes_at_once_loses_nothing(
    make_daemon: MakeDaemon, authority: Authority, server: Issued
) -> None:
    """What is written and closed without a read arrives: we send nothing that could reset it."""
    daemon = make_daemon(tls(server)).start()
    context = authority.client()
    for number in range(20):
        with dial(daemon, context) as sock:
            sock.sendall(b"<13>n%d\n" % number)

    assert {r["msg"] for r in daemon.wait_records(20)} == {f"n{n}" for n in range(20)}


def test_a_peer_that_is_not_permitted_is_refused(
    make_daemon: MakeDaemon, authority: Authority, server: Issued, sender: Issued
) -> None:
    """One that the authority vouches for and the list does not name is closed, counted and said."""
    stranger = authority.issue("stranger.example.net", dns=["stranger.example.net"])
    daemon = make_daemon(
        tls(server, client_ca=authority.cert, permitted_peers=sender.fingerprint)
    ).start()

    assert refused(daemon, authority.client(stranger))
    assert refused(daemon, authority.client())
    with dial(daemon, authority.client(sender)) as sock:
        sock.sendall(b"<13>permitted\n")

    assert [r["msg"] for r in daemon.wait_records(1)] == ["permitted"]
    (event,) = daemon.events("TLS peer not permitted")
    assert event["fingerprint"].lower() == stranger.fingerprint.lower()
    assert "stranger" not in daemon.log_text()
    (event,) = daemon.events("TLS handshake failed")
    assert event["reason"] == "PEER_DID_NOT_RETURN_A_CERTIFICATE"
    page = daemon.metrics()
    for reason in ("peer", "handshake"):
        count = page.sum("logops_connections_refused_total", input="tls", reason=reason)
        assert count == 1, reason


def test_a_list_is_changed_by_a_reload(
    make_daemon: MakeDaemon, authority: Authority, server: Issued, sender: Issued
) -> None:
    """SIGHUP brings a new list of permitted peers into effect, for new sessions."""
    daemon = make_daemon(tls(server, client_ca=authority.cert))
    daemon.directory.mkdir()
    env_file = daemon.directory / ".env"
    env_file.write_text("LOGOPS_TLS_PERMITTED_PEERS=other.example.org\n")
    daemon.start()
    context = authority.client(sender)
    assert refused(daemon, context)

    env_file.write_text("LOGOPS_TLS_PERMITTED_PEERS=other.example.org,sender-1.example.org\n")
    daemon.signal(signal.SIGHUP)
    daemon.wait_for(lambda: daemon.events("reload"), "the reload")
    with dial(daemon, context) as sock:
        sock.sendall(b"<13>now\n")

    assert [r["msg"] for r in daemon.wait_records(1)] == ["now"]


def test_a_reload_with_a_bad_certificate_changes_nothing(
    make_daemon: MakeDaemon, tmp_path: Path, authority: Authority, server: Issued
) -> None:
    """SIGHUP refuses the settings whole, with the reason, and sessions begin as before."""
    daemon = make_daemon({"LOGOPS_TLS_PORT": "any"})
    daemon.directory.mkdir()
    env_file = daemon.directory / ".env"
    good = f"LOGOPS_TLS_CERT={server.cert}\nLOGOPS_TLS_KEY={server.key}\n"
    env_file.write_text(good)
    daemon.start()
    daemon.allowed.add("reload refused")
    env_file.write_text(good.replace(str(server.cert), str(tmp_path / "no.pem")))
    daemon.signal(signal.SIGHUP)
    daemon.wait_for(lambda: daemon.events("reload refused"), "the refusal")

    (problem,) = daemon.events("reload refused")[0]["problems"]
    assert "no.pem: No such file" in problem
    dial(daemon, authority.client()).close()


def test_sockets_handed_over(make_daemon: MakeDaemon, authority: Authority, server: Issued) -> None:
    """Sockets named tls and relp are served, with the certificates of the settings."""
    daemon = make_daemon(tls(server))
    with (
        socket.create_server(("127.0.0.1", 0)) as secure,
        socket.create_server(("127.0.0.1", 0)) as plain,
    ):
        hand_over(daemon, {"tls": secure, "relp": plain})
        daemon.start()
        with dial(daemon, authority.client()) as sock:
            sock.sendall(b"<13>by tls\n")
        with RelpClient(plain.getsockname(), DEADLINE_SECONDS) as client:
            client.send(b"<13>by relp")
            client.close()

    assert {r["input"]: r["msg"] for r in daemon.wait_records(2)} == {
        "tls": "by tls",
        "relp": "by relp",
    }


def test_certificates_change_under_the_running_daemon(
    make_daemon: MakeDaemon, authority: Authority, server: Issued
) -> None:
    """A new pair is used for new sessions, and old sessions go on."""
    daemon = make_daemon(tls(server)).start()
    context = authority.client()
    with dial(daemon, context) as old:
        first = old.getpeercert(binary_form=True)
        replacement = authority.issue("logs", dns=["logs.example.org"], days=2)
        os.replace(replacement.cert, server.cert)
        os.replace(replacement.key, server.key)
        daemon.wait_for(lambda: daemon.events("TLS certificates loaded"), "the new pair")
        old.sendall(b"<13>old\n")
        with dial(daemon, context) as new:
            assert new.getpeercert(binary_form=True) != first
            new.sendall(b"<13>new\n")
        daemon.wait_records(2)
    expiry = daemon.metrics().sum("logops_tls_certificate_expiry_timestamp_seconds")
    assert expiry == replacement.expires


@pytest.mark.parametrize("command", [["check"], []])
def test_a_bad_certificate_is_refused_at_start(
    tmp_path: Path, authority: Authority, server: Issued, command: list[str]
) -> None:
    """Status 78, with the setting, the file and the mend, when started and when checked."""
    other = authority.issue("other")
    daemon = Daemon(tmp_path / "d", tls(server) | {"LOGOPS_TLS_KEY": str(other.key)})
    daemon.directory.mkdir()
    done = subprocess.run(
        logopsd(*command), cwd=daemon.directory, env=daemon.env, capture_output=True, check=False
    )

    assert done.returncode == 78
    assert f"LOGOPS_TLS_KEY: {other.key} is not the key".encode() in done.stderr
