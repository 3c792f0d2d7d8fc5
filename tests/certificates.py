"""Certificates for tests of TLS: an authority, and what it signs."""

import datetime
import hashlib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Issued:
    """A certificate with its key, as files.

    Attributes:
        cert: PEM.
        key: PEM.
        fingerprint: `SHA256:AB...`, as an entry of LOGOPS_TLS_PERMITTED_PEERS.
        expires: seconds since the epoch.
    """

    cert: Path
    key: Path
    fingerprint: str
    expires: float


class Authority:
    """A certificate authority of its own.

    Args:
        directory: where its files go.
        name: its own.

    Attributes:
        cert: its certificate.
    """

    def __init__(self, directory: Path, name: str = "test authority") -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        signed = self._sign(self._name, self._key.public_key(), days=2, ca=True)
        self.cert = directory / "ca.pem"
        self.cert.write_bytes(signed.public_bytes(serialization.Encoding.PEM))

    def issue(
        self,
        name: str,
        *,
        dns: Sequence[str] = (),
        days: int = 1,
        key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | None = None,
    ) -> Issued:
        """Sign a certificate.

        Args:
            name: its common name.
            dns: its DNS names.
            days: how long it is good; negative for one that has expired.
            key: its own; a new one by default.
        """
        key = key or ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        signed = self._sign(subject, key.public_key(), days=days, dns=dns)
        issued = Issued(
            self._directory / f"{name}.pem",
            self._directory / f"{name}.key",
            "SHA256:" + hashlib.sha256(signed.public_bytes(serialization.Encoding.DER)).hexdigest(),
            signed.not_valid_after_utc.timestamp(),
        )
        issued.cert.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        issued.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return issued

    def client(self, own: Issued | None = None) -> ssl.SSLContext:
        """Make the context of a client that trusts this authority, and may show a certificate."""
        context = ssl.create_default_context(cafile=str(self.cert))
        if own is not None:
            context.load_cert_chain(own.cert, own.key)
        return context

    def _sign(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey,
        *,
        days: int,
        dns: Sequence[str] = (),
        ca: bool = False,
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 9 * DAY)
            .not_valid_after(now + days * DAY)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if dns:
            names = x509.SubjectAlternativeName([x509.DNSName(each) for each in dns])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self._key, hashes.SHA256())
