"""TLS of the stream listeners: the certificates, kept fresh, and who may send (RFC 5425).

A context is made anew whenever a file has changed, and each connection takes the newest: sessions
that are there go on with the old one. What cannot be loaded is refused at start; later it costs
one line of the log, and the old context stays.
"""

import asyncio
import os
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from logopsd.errors import SettingsError
from logopsd.listeners.tls_peers import PermittedPeers

POLL_SECONDS = 1.0
"""How often the files are looked at: soon enough that nobody waits for it, at no cost."""

_State = tuple[tuple[int, int, int] | None, ...]
"""What changes when a file does: of each its mtime in ns, size and inode; None: it is not there."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """What a context is made of.

    Attributes:
        cert: the server's certificate, those that lead from it to a root behind it (PEM).
        key: its private key (PEM, without a passphrase).
        client_ca: clients must show a certificate that one of these signed; None: they need none.
        permitted: which of these may send, see PermittedPeers; none at all for every one.
    """

    cert: Path
    key: Path
    client_ca: Path | None = None
    permitted: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was made of the files.

    Attributes:
        files: of which.
        context: for new connections.
        permitted: who may send.
        expires: when the server's certificate ends, seconds since the epoch.
        state: of the files, from before they were read.
    """

    files: TlsFiles
    context: ssl.SSLContext
    permitted: PermittedPeers
    expires: float
    state: _State


class Certificates:
    """The certificates in use.

    Args:
        files: where they are.
        log: told of what is taken into use, and of what cannot be.

    Attributes:
        loaded: what new connections use.

    Raises:
        SettingsError: they cannot be used; names the setting, the file and the mend.
    """

    def __init__(self, files: TlsFiles, log: FilteringBoundLogger) -> None:
        self._log = log
        self.loaded = load(files)
        self._seen = self.loaded.state

    def use(self, loaded: Loaded) -> None:
        """Have new connections use this."""
        self.loaded = loaded
        self._seen = loaded.state

    async def watch(self) -> None:
        """Look at the files again and again, and load what has changed; never ends."""
        while True:
            await asyncio.sleep(POLL_SECONDS)
            await asyncio.to_thread(self.refresh)

    def refresh(self) -> None:
        """Look at the files once.

        What has changed is loaded when it has kept still for one look: a certificate and its key
        are seldom written in the same moment.
        """
        old = self.loaded
        seen, self._seen = self._seen, _state(old.files)
        if self._seen == old.state or self._seen != seen:
            return
        try:
            new = load(old.files)
        except SettingsError as error:
            hint = "the old ones stay"
            self._log.error("TLS certificates refused", problem=str(error), hint=hint)
            new = replace(old, state=self._seen)  # not again before the next change
        else:
            self._log.info("TLS certificates loaded", file=str(new.files.cert))
        if self.loaded is old:  # else a reload came in between
            self.loaded = new


def load(files: TlsFiles) -> Loaded:
    """Make a context.

    Raises:
        SettingsError: one of the files cannot be used; names the setting, the file and the mend.
    """
    state = _state(files)
    expires = _expiry(files.cert)
    _read("LOGOPS_TLS_KEY", files.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # A client that sends and closes at once would be answered with a reset, and lose what it
    # sent, if it left our tickets unread; nor would it ever use them.
    context.num_tickets = 0
    context.options |= ssl.OP_NO_RENEGOTIATION
    _load_own(context, files)
    if files.client_ca is not None:
        _load_client_ca(context, files.client_ca)
    return Loaded(files, context, PermittedPeers(files.permitted), expires, state)


def _state(files: TlsFiles) -> _State:
    return tuple(map(_state_of, filter(None, (files.cert, files.key, files.client_ca))))


def _state_of(path: Path) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _read(setting: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError(
            [f"{setting}: {path}: {error.strerror}; name a PEM file that the daemon may read"]
        ) from error


def _expiry(path: Path) -> float:
    """When the first certificate of a file ends, seconds since the epoch."""
    from cryptography import x509  # most daemons need neither TLS nor the time to load it

    data = _read("LOGOPS_TLS_CERT", path)
    try:
        return x509.load_pem_x509_certificates(data)[0].not_valid_after_utc.timestamp()
    except ValueError as error:
        raise SettingsError(
            [f"LOGOPS_TLS_CERT: {path} holds no certificate in PEM; name the one of this server"]
        ) from error


class _PassphraseError(Exception):
    """OpenSSL asks for the passphrase of a key."""


def _no_passphrase() -> str:
    raise _PassphraseError


def _load_own(context: ssl.SSLContext, files: TlsFiles) -> None:
    key = f"LOGOPS_TLS_KEY: {files.key}"
    try:
        context.load_cert_chain(files.cert, files.key, _no_passphrase)
    except _PassphraseError as error:
        mend = f"openssl pkey -in {files.key} -out NEW makes one without"
        raise SettingsError([f"{key} has a passphrase; {mend}"]) from error
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            problem = f"{key} is not the key of the certificate in {files.cert}; name that one"
        elif error.reason in (None, "PEM_LIB", "NO_START_LINE"):
            problem = f"{key} holds no private key in PEM; name that of {files.cert}"
        else:  # too weak for OpenSSL's security level, and the like
            problem = f"LOGOPS_TLS_CERT: {files.cert}: {error.reason}; make another one"
        raise SettingsError([problem]) from error
    except OSError as error:  # gone since it was read
        raise SettingsError([f"{key}: {error.strerror}; name a PEM file"]) from error


def _load_client_ca(context: ssl.SSLContext, path: Path) -> None:
    _read("LOGOPS_TLS_CLIENT_CA", path)
    try:
        context.load_verify_locations(path)
    except OSError as error:  # ssl.SSLError is one
        problem = f"LOGOPS_TLS_CLIENT_CA: {path} holds no certificate in PEM; name that of the CA"
        raise SettingsError([problem]) from error
    context.verify_mode = ssl.CERT_REQUIRED
