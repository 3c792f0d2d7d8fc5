"""What TLS is made of, from the settings; its modules are loaded only where something speaks it."""

from typing import TYPE_CHECKING

from logopsd.config import Settings
from logopsd.errors import SettingsError

if TYPE_CHECKING:
    from logopsd.listeners.tls import Loaded, TlsFiles


def tls_files(settings: Settings) -> "TlsFiles | None":
    """What TLS is made of; None where nothing speaks it.

    Raises:
        SettingsError: a partner is missing, as it was taken away while TLS is on.
    """
    if settings.tls_port is None and not settings.relp_tls:
        return None
    if settings.tls_cert is None or settings.tls_key is None:
        raise SettingsError(["LOGOPS_TLS_CERT and LOGOPS_TLS_KEY are needed until TLS is off"])
    from logopsd.listeners.tls import TlsFiles

    return TlsFiles(
        cert=settings.tls_cert,
        key=settings.tls_key,
        client_ca=settings.tls_client_ca,
        permitted=settings.tls_permitted_peers,
    )


def load_tls(settings: Settings) -> "Loaded | None":
    """Load the certificates; None where nothing speaks TLS.

    Raises:
        SettingsError: they cannot be used, or one is missing.
    """
    files = tls_files(settings)
    if files is None:
        return None
    from logopsd.listeners.tls import load

    return load(files)
