"""Who we are to a server: credentials, which are read from files and never shown."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from logopsd.errors import SettingsError

MAX_SECRET_BYTES: Final = 64 * 1024
"""A longer file was named by mistake: a JWT has some KiB."""


@dataclass(frozen=True, slots=True)
class Login:
    """What is shown to a server; all of it may be absent.

    Attributes:
        credentials_file: of NATS, a JWT and its seed (`nsc generate creds`).
        user: a name, with `password`.
        password: never shown.
        token: a bearer token; never shown.
        ca: who signed the server's certificate (PEM); else the system's store.
        cert: our own certificate (PEM), with `key`.
        key: its private key (PEM), without a passphrase.
    """

    credentials_file: Path | None = None
    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None

    @property
    def has_tls(self) -> bool:
        """Whether it names what only TLS can use."""
        return self.ca is not None or self.cert is not None

    def tls_context(self) -> ssl.SSLContext:
        """Make what verifies the server and, where it is named, shows our certificate.

        Raises:
            SettingsError: a file cannot be used.
        """
        try:
            context = ssl.create_default_context(cafile=self.ca)
            if self.cert is not None:
                context.load_cert_chain(self.cert, self.key)
        except (OSError, ssl.SSLError) as error:
            names = ", ".join(str(path) for path in (self.ca, self.cert, self.key) if path)
            reason = error.strerror or type(error).__name__
            raise SettingsError(
                [f"TLS: {names} cannot be used ({reason}); name PEM files"]
            ) from None
        return context


def read_secret(name: str, path: Path | None) -> str:
    """Read a password or token: the first line of a file; empty where none is named.

    Args:
        name: of the setting, for the error.
        path: of the file.

    Raises:
        SettingsError: it cannot be read, or there is nothing in it.
    """
    if path is None:
        return ""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_SECRET_BYTES)
    except OSError as error:
        raise SettingsError([f"{name}: {path} cannot be read ({error.strerror})"]) from None
    secret = data.decode("utf-8", "replace").partition("\n")[0].strip()
    if not secret.isprintable() or not secret:
        raise SettingsError([f"{name}: {path} holds no secret; put it on the first line"])
    return secret
