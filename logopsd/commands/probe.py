"""A test message through every listener that is on, followed to the file.

Each is one syslog line of severity debug and APP-NAME `logopsd-doctor`, so that it is recognised
wherever it turns up.
"""

import contextlib
import http.client
import ipaddress
import secrets
import socket
import ssl
import string
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from logopsd.commands.findings import Finding, ok, problem
from logopsd.commands.ports import ports
from logopsd.config import ANY_PORT, Settings
from logopsd.stored.follow import Followers, by_writer, path_of, pieces

TIMEOUT_SECONDS: Final = 5.0
"""For an answer, and then for the message in the file: a daemon that is well takes milliseconds."""

APP_NAME: Final = "logopsd-doctor"
OWN_ADDRESSES: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # looked up, not bound
"""What is bound to all addresses is reached at our own."""

_PRI: Final = 15  # user.debug, RFC 5424 section 6.2.1
_POLL_SECONDS: Final = 0.02


def check_messages(settings: Settings) -> Iterator[Finding]:
    """Send a message to each listener, and look for all of them in the files."""
    follower = _at_the_end(settings.sink_dir) if settings.sink_file else None
    with contextlib.closing(follower) if follower else contextlib.nullcontext():
        sent: dict[str, bytes] = {}
        for name, send in _senders(settings).items():
            # Letters alone: no detector takes them for anything personal.
            mark = "".join(secrets.choice(string.ascii_lowercase) for _ in range(12))
            now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
            text = f"test message of logopsd doctor, mark {mark}, by {name}"
            try:
                send(f"<{_PRI}>1 {now} - {APP_NAME} - - - {text}".encode())
            except (OSError, http.client.HTTPException) as error:
                yield _refused(name, error)
            else:
                sent[name] = mark.encode()
        if follower is None:
            for name in sent:
                yield ok(f"message {name}", "sent; there are no files to look for it in")
            return
        began = time.monotonic()
        missing = dict(sent)
        while missing and time.monotonic() - began < TIMEOUT_SECONDS:
            for line in follower.poll():
                for name in [name for name, mark in missing.items() if mark in line]:
                    del missing[name]
            time.sleep(_POLL_SECONDS)
        for name in sent:
            yield _lost(settings, name) if name in missing else _stored(name)


def _stored(name: str) -> Finding:
    return ok(f"message {name}", "sent, and found in the file")


def _lost(settings: Settings, name: str) -> Finding:
    return problem(
        f"message {name}",
        f"sent, and not in {settings.sink_dir} within {TIMEOUT_SECONDS:g} s",
        "see what logopsd status says is dropped, whether LOGOPS_ALLOW_FROM lets this host in, "
        "and whether the doctor reads the daemon's own settings (--env-file, working directory)",
    )


def _refused(name: str, error: Exception) -> Finding:
    reason = str(error) if isinstance(error, _RefusedError) else ""
    reason = reason or getattr(error, "strerror", None) or type(error).__name__
    return problem(
        f"message {name}",
        f"not taken: {reason}",
        "see the daemon's log (journalctl -u logopsd) and logopsd status; restart it where it "
        "does not listen there",
    )


class _RefusedError(OSError):
    """The daemon answered, and took nothing."""


def _at_the_end(directory: Path) -> Followers:
    followers = Followers(directory, f"{datetime.now(UTC):%Y%m%d}", lambda _: "")
    for of_one in by_writer(pieces(directory)).values():
        with contextlib.suppress(OSError):
            followers.begin(of_one[-1], path_of(directory, of_one[-1]).stat().st_size)
    return followers


def _senders(settings: Settings) -> Mapping[str, Callable[[bytes], None]]:
    """Input -> sends a line to it; of a free port nobody knows the number."""
    senders: dict[str, Callable[[bytes], None]] = {}
    own = {
        "udp": _send_datagram,
        "tcp": _send_stream,
        "tls": _send_stream,
        "relp": _send_relp,
        "http": _send_http,
    }
    for input, _, host, port in ports(settings):
        if input in own and port != ANY_PORT:
            address = (OWN_ADDRESSES.get(host, host), port)
            peer = _Peer(settings, input, address)
            senders[input] = partial(own[input], peer)
    if settings.unix_dgram is not None:
        peer = _Peer(settings, "unix", (str(settings.unix_dgram), 0))
        senders["unix datagram"] = partial(_send_datagram, peer)
    if settings.unix_stream is not None:
        peer = _Peer(settings, "unix", (str(settings.unix_stream), 0))
        senders["unix"] = partial(_send_stream, peer)
    return senders


class _Peer:
    """A listener as one who sends to it sees it."""

    def __init__(self, settings: Settings, input: str, address: tuple[str, int]) -> None:
        self.settings = settings
        self.input = input
        self.address = address

    def connect(self) -> socket.socket:
        """Connect, with all that must go before the first byte."""
        if self.input == "unix":
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            sock.settimeout(TIMEOUT_SECONDS)
            try:
                sock.connect(self.address[0])
            except OSError:
                sock.close()
                raise
            return sock
        sock = socket.create_connection(self.address, TIMEOUT_SECONDS)
        try:
            source = ipaddress.ip_address(sock.getsockname()[0])
            if self.input != "tls" and any(source in each for each in self.settings.proxy_from):
                sock.sendall(b"PROXY UNKNOWN\r\n")
            if self.input == "tls" or (self.input == "relp" and self.settings.relp_tls):
                return self._wrapped(sock)
        except OSError:
            sock.close()
            raise
        return sock

    def _wrapped(self, sock: socket.socket) -> socket.socket:
        """Without checking it, as that is done by its file; with it as our own, if we may."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        settings = self.settings
        if settings.tls_client_ca and settings.tls_cert and settings.tls_key:
            context.load_cert_chain(settings.tls_cert, settings.tls_key)
        return context.wrap_socket(sock)


def _send_datagram(peer: _Peer, line: bytes) -> None:
    family = socket.AF_INET6 if ":" in peer.address[0] else socket.AF_INET
    unix = peer.input == "unix"
    with socket.socket(socket.AF_UNIX if unix else family, socket.SOCK_DGRAM) as sock:
        sock.settimeout(TIMEOUT_SECONDS)
        sock.connect(peer.address[0] if unix else peer.address)
        sock.send(line)


def _send_stream(peer: _Peer, line: bytes) -> None:
    """Ends when the daemon has read it: it closes the connection only then."""
    with peer.connect() as sock:
        sock.sendall(line + b"\n")
        if isinstance(sock, ssl.SSLSocket):
            with contextlib.suppress(ssl.SSLZeroReturnError, ssl.SSLSyscallError):
                sock.unwrap().close()
        else:
            sock.shutdown(socket.SHUT_WR)
            sock.recv(1)


def _send_relp(peer: _Peer, line: bytes) -> None:
    """RELP: open, the message, and the answer that it is stored; see rsyslog's relp.html."""
    offers = b"relp_version=0\nrelp_software=logopsd-doctor\ncommands=syslog"
    with peer.connect() as sock, sock.makefile("rb") as answers:
        for number, command, data in ((1, b"open", offers), (2, b"syslog", line)):
            sock.sendall(b"%d %s %d %s\n" % (number, command, len(data), data))
            answer = _relp_answer(answers.readline(4096), answers.read)
            if not answer.startswith(b"200"):
                raise _RefusedError("RELP answered no 200")
        sock.sendall(b"3 close 0\n")


def _relp_answer(head: bytes, read: Callable[[int], bytes]) -> bytes:
    """The data of an answer, `TXNR rsp LENGTH DATA LF`, its first line read already."""
    parts = head.split(b" ", 3)
    if len(parts) < 4 or parts[1] != b"rsp" or not parts[2].isdigit():
        raise _RefusedError("what answers speaks no RELP, or closed the connection")
    missing = min(int(parts[2]), 65536) + 1 - len(parts[3])
    return parts[3] + (read(missing) if missing > 0 else b"")


def _send_http(peer: _Peer, line: bytes) -> None:
    headers = {"Content-Type": "text/plain"}
    if token := _token(peer.settings.http_tokens_file):
        headers["Authorization"] = f"Bearer {token}"
    connection = http.client.HTTPConnection(*peer.address, timeout=TIMEOUT_SECONDS)
    with contextlib.closing(connection):
        connection.sock = peer.connect()
        connection.request("POST", "/v1/logs", line + b"\n", headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != http.HTTPStatus.OK:
            raise _RefusedError(f"HTTP answered {answer.status} {answer.reason}")


def _token(path: Path | None) -> str:
    """The first token of the file; none where it cannot be read, and 401 says the rest."""
    with contextlib.suppress(OSError, AttributeError):
        lines = map(str.strip, path.read_text("latin-1").splitlines())  # type: ignore[union-attr]
        return next((line for line in lines if line and not line.startswith("#")), "")
    return ""
