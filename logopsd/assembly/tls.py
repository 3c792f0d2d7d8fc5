"""What TLS is made of, from the settings."""

from logopsd.config import Settings
from logopsd.errors import SettingsError
from logopsd.listeners.tls import TlsFiles


def tls_files(settings: Settings) -> TlsFiles | None:
    """What TLS is made of; None where nothing speaks it.

    Raises:
        SettingsError: a partner is missing, as it was taken away while TLS is on.
    """
    if settings.tls_port is None and not settings.relp_tls:
        return None
    if settings.tls_cert is None or settings.tls_key is None:
        raise SettingsError(["LOGOPS_TLS_CERT and LOGOPS_TLS_KEY are needed until TLS is off"])
    return TlsFiles(
        cert=settings.tls_cert,
        key=settings.tls_key,
        client_ca=settings.tls_client_ca,
        permitted=settings.tls_permitted_peers,
    )
