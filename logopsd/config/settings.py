"""Every setting, once: its type, what it takes, its default, and one sentence of help.

A new setting is one entry here; the loader, `logopsd check --print`, `.env.example` and the
documentation are made from it.
"""
# ruff: noqa: RUF009  (`setting` returns a `dataclasses.field`; nothing is shared)

import datetime
import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

from logopsd.config import values
from logopsd.config.catalogue import Setting, described, setting
from logopsd.config.key_file import KeyFile
from logopsd.config.zones import zone
from logopsd.privacy import detectors
from logopsd.shipping.address import TargetAddress

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB
DAY_SECONDS = 24 * 60 * 60
MAX_WORKERS = 64
"""More cores than a disk takes the records of; each worker has 45 MiB."""

_INPUTS = "Inputs"
_ACCESS = "Access"
_TLS = "TLS"
_PARSING = "Parsing"
_PRIVACY = "Privacy"
_SINK = "Files"
_RETENTION = "Retention"
_SHIPPING = "Shipping"
_WATCHING = "Watching"
_CORES = "Cores"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings as the composition root uses them; made by `logopsd.config.load` alone.

    A port is None where it is off, and `values.ANY_PORT` (0) where any free one will do. Sizes
    are in bytes, times in seconds, paths absolute.
    """

    bind: str = setting(
        values.address, "127.0.0.1", "Address on which all inputs listen.", group=_INPUTS
    )
    udp_port: int | None = setting(values.port, "5514", "Syslog over UDP.", group=_INPUTS)
    tcp_port: int | None = setting(values.port, "5514", "Syslog over TCP.", group=_INPUTS)
    http_port: int | None = setting(
        values.port,
        "8080",
        "HTTP: `/v1/logs`, `/loki/api/v1/push`, `/upload`, `/healthz`, `/readyz`.",
        group=_INPUTS,
    )
    unix_dgram: Path | None = setting(
        values.path,
        "",
        "Syslog over a Unix datagram socket, as /dev/log is one; everyone may write to it.",
        group=_INPUTS,
    )
    unix_stream: Path | None = setting(
        values.path, "", "Syslog over a Unix stream socket, likewise.", group=_INPUTS
    )
    relp_port: int | None = setting(
        values.port,
        "0",
        "RELP, usually 2514: each message is answered once it is stored.",
        group=_INPUTS,
    )
    # RFC 5424 section 6.1: a receiver must take 480 octets. The upper end keeps one message
    # small beside the high-water mark.
    max_message: int = setting(
        values.size(480, 16 * MIB),
        "256KiB",
        "A longer message becomes one record cut at this length.",
        group=_INPUTS,
    )
    http_max_body: int = setting(
        values.size(KIB, GIB),
        "16MiB",
        "A longer body of a request is refused (413); NDJSON and journals, which are taken as "
        "they come, may be longer.",
        group=_INPUTS,
        needs=("http_port",),
    )
    http_tokens_file: Path | None = setting(
        values.path,
        "",
        "Bearer tokens, one a line; each POST must bring one. Read again when the file changes.",
        group=_INPUTS,
        needs=("http_port",),
    )
    debug_sample: bool = setting(
        values.boolean,
        "false",
        "The HTTP response shows the first normalised records, masked.",
        group=_INPUTS,
        needs=("http_port",),
        reloadable=True,
    )
    debug_sample_size: int = setting(
        values.number(1, 100, "records"),
        "3",
        "How many records the HTTP response shows.",
        group=_INPUTS,
        needs=("debug_sample",),
        reloadable=True,
    )

    allow_from: tuple[Network, ...] = setting(
        values.networks,
        "",
        "Networks whose senders are served, all others are refused; without a list everyone is.",
        group=_ACCESS,
        reloadable=True,
    )
    proxy_from: tuple[Network, ...] = setting(
        values.networks,
        "",
        "Proxies that say by the PROXY protocol for whom they speak, and must (TCP, RELP, HTTP).",
        group=_ACCESS,
        reloadable=True,
    )
    # Each is a descriptor and some KiB; the limit of the process (LimitNOFILE=) holds as well.
    max_connections: int = setting(
        values.number(1, 1_000_000, "connections", zero="no limit"),
        "10000",
        "Connections open at once, of all inputs together.",
        group=_ACCESS,
        reloadable=True,
    )
    max_connections_per_peer: int = setting(
        values.number(1, 1_000_000, "connections", zero="no limit"),
        "0",
        "Connections open at once, of one address.",
        group=_ACCESS,
        reloadable=True,
    )
    idle_timeout: Literal["off"] | float = setting(
        values.duration(1, DAY_SECONDS, ("off",)),
        "off",
        "Closes a stream (TCP, TLS, Unix, RELP) that was silent for so long.",
        group=_ACCESS,
        reloadable=True,
    )
    rate_limit: int = setting(
        values.number(1, 10_000_000, "records a second", zero="no limit"),
        "0",
        "Records of one address; five seconds' worth may come at once, what is more is left out.",
        group=_ACCESS,
        reloadable=True,
    )

    tls_port: int | None = setting(
        values.port,
        "0",
        "Syslog over TLS (RFC 5425), usually 6514.",
        group=_TLS,
    )
    relp_tls: bool = setting(
        values.boolean, "false", "RELP speaks TLS.", group=_TLS, needs=("relp_port",)
    )
    tls_cert: Path | None = setting(
        values.path,
        "",
        "The server's certificate and the chain behind it (PEM); read anew when it changes.",
        group=_TLS,
        needs=("tls_port|relp_tls",),
        reloadable=True,
    )
    tls_key: Path | None = setting(
        values.path,
        "",
        "The certificate's private key (PEM), without a passphrase.",
        group=_TLS,
        needs=("tls_port|relp_tls",),
        reloadable=True,
    )
    tls_client_ca: Path | None = setting(
        values.path,
        "",
        "Clients must show a certificate signed by one of these (PEM).",
        group=_TLS,
        needs=("tls_port|relp_tls",),
        reloadable=True,
    )
    tls_permitted_peers: tuple[str, ...] = setting(
        values.peers,
        "",
        "Which of these clients may send; without a list all of them.",
        group=_TLS,
        needs=("tls_client_ca",),
        reloadable=True,
    )

    syslog_tz: datetime.tzinfo = setting(
        zone, "local", "Zone of syslog stamps that carry none.", group=_PARSING, reloadable=True
    )
    multiline: bool = setting(
        values.boolean,
        "false",
        "Joins stack traces and other continuation lines to their record: TCP, TLS, Unix stream.",
        group=_PARSING,
        needs=("tcp_port|tls_port|unix_stream",),
    )
    # Below 10 ms it would part what one write of a sender brought in two packets.
    multiline_timeout: float = setting(
        values.duration(0.01, 60),
        "1s",
        "How long a record waits for its next line, if no other begins.",
        group=_PARSING,
        needs=("multiline",),
    )

    pii_detectors: tuple[str, ...] = setting(
        values.words(*detectors.NAMES, none=False),
        ",".join(detectors.DEFAULT),
        "What is looked for and masked.",
        group=_PRIVACY,
        reloadable=True,
    )
    pii_keep: tuple[str, ...] = setting(
        values.keep,
        "",
        "Networks and e-mail domains that are not masked; loopback never is.",
        group=_PRIVACY,
        reloadable=True,
    )
    mask_fields: tuple[str, ...] = setting(
        values.words("host", "peer", none=True),
        "none",
        "Header fields that are masked like the message.",
        group=_PRIVACY,
        reloadable=True,
    )
    encrypt_pii: bool = setting(
        values.boolean,
        "false",
        "Puts the Fernet token of the original beside what was masked.",
        group=_PRIVACY,
        reloadable=True,
    )
    secret_key: str | None = setting(
        values.fernet_key,
        "",
        "The key of these tokens; `logopsd keygen` makes one.",
        group=_PRIVACY,
        secret=True,
        reloadable=True,
    )
    secret_key_file: KeyFile | None = setting(
        values.key_file,
        "",
        "The keys in a file: the first makes tokens, the others, older ones, only open them. "
        "Without it, the credential `logopsd.key` of a systemd unit, where there is one.",
        group=_PRIVACY,
        reloadable=True,
    )
    secret_keys_old: tuple[str, ...] = setting(
        values.fernet_keys,
        "",
        "Former keys, which only open tokens; in a key file they stand behind the first.",
        group=_PRIVACY,
        secret=True,
        needs=("secret_key|secret_key_file",),
        reloadable=True,
    )
    encrypt_fields: tuple[str, ...] = setting(
        values.field_names,
        "user_email,client_ip",
        "Fields of a payload that get their token as `<name>_enc`.",
        group=_PRIVACY,
        needs=("encrypt_pii",),
        reloadable=True,
    )
    encrypt_msg: Literal["always", "masked"] = setting(
        values.choice("always", "masked"),
        "always",
        "Which messages get their token: all, or those in which something was masked.",
        group=_PRIVACY,
        needs=("encrypt_pii",),
        reloadable=True,
    )

    key_per_day: bool = setting(
        values.boolean,
        "false",
        "Encrypts each UTC day under a key of its own, which goes with the day's files.",
        group=_PRIVACY,
        needs=("encrypt_pii",),
        reloadable=True,
    )
    key_dir: Path = setting(
        values.path,
        "./data/keys",
        "Directory of the days' keys, wrapped by the key above; keep it out of the logs' backups.",
        group=_PRIVACY,
        needs=("secret_key|secret_key_file",),
        reloadable=True,
    )
    pii_pseudonym: bool = setting(
        values.boolean,
        "false",
        "Puts a keyed pseudonym beside what was masked, so that it can be grouped.",
        group=_PRIVACY,
        needs=("secret_key|secret_key_file",),
        reloadable=True,
    )
    pii_ip: Literal["mask", "prefix"] = setting(
        values.choice("mask", "prefix"),
        "mask",
        "With prefix, pseudonyms of IPv4 addresses share as many leading bits as the addresses do.",
        group=_PRIVACY,
        reloadable=True,
    )

    sink_file: bool = setting(
        values.boolean,
        "true",
        "Writes `YYYYMMDD.ndjson`; false, and no other sink, is a dry run that stores nothing.",
        group=_SINK,
    )
    sink_dir: Path = setting(
        values.path, "./data/ingest", "Directory of the files written.", group=_SINK
    )
    sink_stdout: bool = setting(
        values.boolean,
        "false",
        "Writes the records to standard output, for containers and pipes.",
        group=_SINK,
    )
    sink_split: Literal["level", "input"] | None = setting(
        values.choice("level", "input"),
        "",
        "Writes a file for each level or input beside them, `split/YYYYMMDD-error.ndjson`.",
        group=_SINK,
        needs=("sink_file",),
    )
    sink_max_bytes: int = setting(
        values.size(4 * KIB, 1024 * GIB, zero="no limit"),
        "0",
        "Begins `YYYYMMDD-N.ndjson` after this size.",
        group=_SINK,
        needs=("sink_file",),
    )
    # Below 10 ms an interval costs more than `always`, which joins all that wait in one fsync.
    fsync: Literal["always", "never"] | float = setting(
        values.duration(0.01, 3600, ("always", "never")),
        "1s",
        "When the disk is told to keep what was written: before any receipt, at most this long "
        "after a write, or never.",
        group=_SINK,
        needs=("sink_file",),
    )
    sink_high_water: int = setting(
        values.size(MIB, 16 * GIB),
        "64MiB",
        "Bytes waiting to be written at which senders are paused; they go on at half of it.",
        group=_SINK,
        needs=("sink_file|sink_stdout",),
    )
    # A disk filled to the last byte fails whoever else writes there, and leaves no room to make
    # an archive in; small, so that a daemon on a small disk starts all the same.
    min_free_bytes: int = setting(
        values.size(4 * KIB, 1024 * GIB, zero="off"),
        "16MiB",
        "Nothing is written that would leave less than this free on the disk; senders are paused.",
        group=_SINK,
        needs=("sink_file",),
    )

    retention_days: int = setting(
        values.number(1, 36500, "days"),
        "30",
        "Files older than this are deleted or archived.",
        group=_RETENTION,
        reloadable=True,
    )
    retention_max_bytes: int = setting(
        values.size(MIB, 1024 * 1024 * GIB, zero="no limit"),
        "0",
        "While the files are larger together, the oldest go, but for today's.",
        group=_RETENTION,
        reloadable=True,
    )
    archive_mode: Literal["delete", "zip"] = setting(
        values.choice("delete", "zip"),
        "delete",
        "What becomes of old files.",
        group=_RETENTION,
        reloadable=True,
    )
    archive_dir: Path = setting(
        values.path,
        "./data/archive",
        "Directory of the zip files.",
        group=_RETENTION,
        needs=("archive_mode=zip",),
        reloadable=True,
    )
    archive_retention_days: int = setting(
        values.number(1, 36500, "days", zero="kept for good"),
        "0",
        "Archives older than this are deleted.",
        group=_RETENTION,
        needs=("archive_mode=zip",),
        reloadable=True,
    )
    housekeep_autorun: bool = setting(
        values.boolean,
        "true",
        "The daemon itself deletes or archives; `logopsd housekeep` does one round by hand.",
        group=_RETENTION,
    )
    housekeep_interval_sec: int = setting(
        values.number(1, 7 * DAY_SECONDS, "seconds", zero="at start only"),
        "3600",
        "Time between two rounds of this.",
        group=_RETENTION,
        needs=("housekeep_autorun",),
    )

    ship_to: TargetAddress | None = setting(
        values.target,
        "",
        "Sends what is stored on to NATS JetStream or Loki, beside the data in the daemon; "
        "`logopsd ship` does it as a process of its own.",
        group=_SHIPPING,
        needs=("sink_file",),
    )
    ship_subject: str = setting(
        values.subject,
        "logs.{input}.{level}",
        "NATS: the subject of a record; {emitter} and {host} are cleaned of what a subject may not "
        "have.",
        group=_SHIPPING,
    )
    ship_credentials_file: Path | None = setting(
        values.path, "", "NATS: a credentials file, as `nsc` makes it.", group=_SHIPPING
    )
    ship_user: str | None = setting(
        values.user,
        "",
        "A user's name: NATS, or Loki's basic authentication.",
        group=_SHIPPING,
        needs=("ship_password_file",),
    )
    ship_password_file: Path | None = setting(
        values.path,
        "",
        "This user's password: the first line of a file.",
        group=_SHIPPING,
        needs=("ship_user",),
    )
    ship_token_file: Path | None = setting(
        values.path, "", "A bearer token: the first line of a file.", group=_SHIPPING
    )
    ship_ca: Path | None = setting(
        values.path,
        "",
        "Who signed the server's certificate (PEM), where it is none of the system's.",
        group=_SHIPPING,
    )
    ship_cert: Path | None = setting(
        values.path,
        "",
        "The certificate that is shown to the server (PEM).",
        group=_SHIPPING,
        needs=("ship_key",),
    )
    ship_key: Path | None = setting(
        values.path,
        "",
        "This certificate's private key (PEM), without a passphrase.",
        group=_SHIPPING,
        needs=("ship_cert",),
    )
    ship_tenant: str | None = setting(
        values.user, "", "Loki: the tenant, sent as `X-Scope-OrgID`.", group=_SHIPPING
    )
    ship_metrics_port: int | None = setting(
        values.port,
        "9515",
        "Port of the metrics of `logopsd ship`, at LOGOPS_METRICS_BIND; the daemon's own task has "
        "its figures in the daemon's page.",
        group=_SHIPPING,
    )

    metrics_port: int | None = setting(
        values.port,
        "9514",
        "Side port: the page, `/metrics`, `/sources`, `/healthz`, `/readyz`.",
        group=_WATCHING,
    )
    metrics_bind: str = setting(
        values.address,
        "127.0.0.1",
        "Address of the side port.",
        group=_WATCHING,
        needs=("metrics_port",),
    )
    debug_decrypt_token: str | None = setting(
        values.bearer_token,
        "",
        "The side port opens tokens (POST `/debug/decrypt`) for who brings this bearer token.",
        group=_WATCHING,
        secret=True,
        needs=("metrics_port", "secret_key|secret_key_file"),
        reloadable=True,
    )
    log_level: Literal["debug", "info", "warning", "error"] = setting(
        values.choice("debug", "info", "warning", "error"),
        "info",
        "Least urgent level of the daemon's own log.",
        group=_WATCHING,
        reloadable=True,
    )
    log_format: Literal["auto", "console", "json"] = setting(
        values.choice("auto", "console", "json"),
        "auto",
        "The daemon's own log: console on a terminal and JSON lines elsewhere, or one of them.",
        group=_WATCHING,
    )

    workers: Literal["auto"] | int = setting(
        values.processes(MAX_WORKERS),
        "1",
        "Processes that receive, each on a core and with files of its own, `YYYYMMDD-w1.ndjson`.",
        group=_CORES,
    )

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of tokens, the one that makes new ones first; none at all where none is set."""
        if self.secret_key is not None:
            return (self.secret_key,)
        return () if self.secret_key_file is None else self.secret_key_file.keys


def describe() -> Iterator[Setting]:
    """Every setting in the order of the documentation."""
    for each in fields(Settings):
        yield described(each.name, each.metadata)
