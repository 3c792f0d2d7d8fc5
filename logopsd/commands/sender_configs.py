"""What to paste into a sender, with this host's address and ports; the texts of docs/senders.md."""

import socket
from collections.abc import Mapping
from typing import Final

from logopsd.commands.arguments import SENDERS
from logopsd.config import Settings
from logopsd.errors import LogopsError

BLOCKS: Final[Mapping[str, str]] = {
    "rsyslog-relp": """\
module(load="omrelp")
*.* action(type="omrelp" target="{host}" port="{port}"
           template="RSYSLOG_SyslogProtocol23Format" action.resumeRetryCount="-1"
           queue.type="LinkedList" queue.filename="logopsd-relp" queue.maxDiskSpace="1g"
           queue.saveOnShutdown="on")
""",
    "rsyslog-octet-counted": """\
*.* action(type="omfwd" target="{host}" port="{port}" protocol="tcp"
           tcp_framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format"
           action.resumeRetryCount="-1"
           queue.type="LinkedList" queue.filename="logopsd" queue.maxDiskSpace="1g"
           queue.saveOnShutdown="on")
""",
    "rsyslog-tls": """\
global(defaultNetstreamDriverCAFile="/etc/ssl/logs/ca.pem"
       defaultNetstreamDriverCertFile="/etc/ssl/logs/sender.pem"
       defaultNetstreamDriverKeyFile="/etc/ssl/logs/sender.key")
*.* action(type="omfwd" target="{host}" port="{port}" protocol="tcp"
           tcp_framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format"
           StreamDriver="ossl" StreamDriverMode="1"
           StreamDriverAuthMode="x509/name" StreamDriverPermittedPeers="{host}"
           action.resumeRetryCount="-1")
""",
    "rsyslog-udp": """\
*.* action(type="omfwd" target="{host}" port="{port}" protocol="udp"
           template="RSYSLOG_SyslogProtocol23Format")
""",
    "syslog-ng-syslog": """\
destination d_logopsd {{ syslog("{host}" port({port}) transport("tcp")); }};
log {{ source(s_src); destination(d_logopsd); flags(flow-control); }};
""",
    "syslog-ng-tls": """\
destination d_logopsd {{
    syslog("{host}" port({port}) transport("tls")
           tls(ca-file("/etc/ssl/logs/ca.pem") peer-verify(required-trusted)
               cert-file("/etc/ssl/logs/sender.pem") key-file("/etc/ssl/logs/sender.key")));
}};
log {{ source(s_src); destination(d_logopsd); flags(flow-control); }};
""",
    "syslog-ng-udp": """\
destination d_logopsd {{ network("{host}" port({port}) transport("udp")); }};
log {{ source(s_src); destination(d_logopsd); }};
""",
    "journal-upload": """\
[Upload]
URL=http://{host}:{port}
""",
    "alloy": """\
loki.source.journal "logopsd" {{
  forward_to = [otelcol.receiver.loki.logopsd.receiver]
}}

otelcol.receiver.loki "logopsd" {{
  output {{
    logs = [otelcol.exporter.otlphttp.logopsd.input]
  }}
}}

otelcol.exporter.otlphttp "logopsd" {{
  encoding = "json"
  client {{
    endpoint = "http://{host}:{port}"
  }}
}}
""",
}
"""Name of the block on the page -> its text, with places for host and port."""

_CHOICES: Final[Mapping[str, tuple[tuple[str, str, str], ...]]] = {
    "rsyslog": (
        ("relp", "rsyslog-relp", "/etc/rsyslog.d/60-logopsd.conf, package rsyslog-relp"),
        ("tls", "rsyslog-tls", "/etc/rsyslog.d/60-logopsd.conf, package rsyslog-openssl"),
        ("tcp", "rsyslog-octet-counted", "/etc/rsyslog.d/60-logopsd.conf"),
        ("udp", "rsyslog-udp", "/etc/rsyslog.d/60-logopsd.conf"),
    ),
    "syslog-ng": (
        ("tls", "syslog-ng-tls", "/etc/syslog-ng/conf.d/logopsd.conf"),
        ("tcp", "syslog-ng-syslog", "/etc/syslog-ng/conf.d/logopsd.conf"),
        ("udp", "syslog-ng-udp", "/etc/syslog-ng/conf.d/logopsd.conf"),
    ),
    "journald": (
        (
            "http",
            "journal-upload",
            "/etc/systemd/journal-upload.conf, package systemd-journal-remote",
        ),
    ),
    "alloy": (("http", "alloy", "/etc/alloy/config.alloy"),),
}
"""Sender -> what it may send by, the best first: input, block, and where it is pasted."""


def render(block: str, host: str, port: int) -> str:
    """A block with an address and a port."""
    in_url = block in ("journal-upload", "alloy") and ":" in host
    return BLOCKS[block].format(host=f"[{host}]" if in_url else host, port=port)


def configuration(sender: str, settings: Settings, host: str | None) -> tuple[str, list[str]]:
    """What to paste, by the best of the inputs that are on.

    Args:
        sender: one of SENDERS.
        settings: of the daemon.
        host: under which name senders reach it; None for the address it is bound to.

    Returns:
        The text, and notes for who pastes it.

    Raises:
        LogopsError: none of its inputs is on; names the settings.
    """
    assert sender in SENDERS
    choices = _CHOICES[sender]
    for input, block, place in choices:
        port = getattr(settings, f"{input}_port")
        if not port or (input == "relp" and settings.relp_tls):
            continue
        notes = [f"paste it into {place}"]
        if host is None and _is_loopback(settings.bind):
            notes.append(
                f"the daemon listens on {settings.bind} alone: for senders elsewhere set "
                "LOGOPS_BIND, and --host to the name they know"
            )
        if input in ("http", "udp", "tcp") and not _is_loopback(settings.bind):
            notes.append("it goes over the net in the clear; see LOGOPS_TLS_PORT")
        if input == "http" and settings.http_tokens_file is not None:
            notes.append("the daemon wants a bearer token (LOGOPS_HTTP_TOKENS_FILE): add one")
        if input == "tls":
            notes.append("put your own certificates in the place of those below /etc/ssl/logs")
        return render(block, host or _address(settings.bind), port), notes
    names = " or ".join(f"LOGOPS_{input.upper()}_PORT" for input, _, _ in choices)
    raise LogopsError(f"the daemon has no input for {sender} at a fixed port; set {names}")


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


def _address(bind: str) -> str:
    """The address senders reach: where it is bound to all, that of the default route."""
    family = {"0.0.0.0": socket.AF_INET, "::": socket.AF_INET6}.get(bind)  # noqa: S104
    if family is None:
        return bind
    # Of documentation (RFC 5737, RFC 3849); nothing is sent, the kernel only chooses a source.
    target = "192.0.2.1" if family == socket.AF_INET else "2001:db8::1"
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((target, 9))
            return str(probe.getsockname()[0])
    except OSError:  # no route out
        return socket.getfqdn()
