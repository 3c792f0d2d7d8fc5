"""Tests of logopsd.listeners.tls."""

import asyncio
import os
import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from logopsd.errors import SettingsError
from logopsd.listeners import tls
from logopsd.listeners.tls import Certificates, TlsFiles, load
from tests.certificates import Authority, Issued
from tests.listeners.helpers import FakeLog, as_log, until


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def own(authority: Authority) -> Issued:
    """A certificate of the server."""
    return authority.issue("localhost", dns=["localhost"])


def files_of(own: Issued, client_ca: Path | None = None) -> TlsFiles:
    """The files of a certificate."""
    return TlsFiles(own.cert, own.key, client_ca)


class TestLoad:
    def test_a_context(self, own: Issued, authority: Authority) -> None:
        """TLS 1.2 and newer, no tickets, and clients are verified where there is a CA for them."""
        loaded = load(files_of(own))
        strict = load(files_of(own, authority.cert))

        assert loaded.expires == own.expires
        assert loaded.context.minimum_version == ssl.TLSVersion.TLSv1_2
        assert loaded.context.num_tickets == 0
        assert loaded.context.verify_mode == ssl.CERT_NONE
        assert strict.context.verify_mode == ssl.CERT_REQUIRED

    def refusal(self, files: TlsFiles) -> str:
        """Why files are refused."""
        with pytest.raises(SettingsError) as caught:
            load(files)
        (problem,) = caught.value.problems
        return problem

    def test_a_file_that_is_not_there(self, own: Issued, tmp_path: Path) -> None:
        """Each setting names its file and the reason."""
        no = tmp_path / "no.pem"
        for setting, files in (
            ("CERT", TlsFiles(no, own.key)),
            ("KEY", TlsFiles(own.cert, no)),
            ("CLIENT_CA", TlsFiles(own.cert, own.key, no)),
        ):
            problem = self.refusal(files)

            assert problem.startswith(f"LOGOPS_TLS_{setting}: {no}: No such file or directory; ")

    def test_a_file_that_holds_something_else(self, own: Issued, tmp_path: Path) -> None:
        """Each setting says what should be in its file."""
        other = tmp_path / "other.pem"
        for content in (b"", b"text\n", b"\xff\0", own.key.read_bytes()[:60]):
            other.write_bytes(content)
            for setting, files in (
                ("CERT", TlsFiles(other, own.key)),
                ("KEY", TlsFiles(own.cert, other)),
                ("CLIENT_CA", TlsFiles(own.cert, own.key, other)),
            ):
                problem = self.refusal(files)

                assert problem.startswith(f"LOGOPS_TLS_{setting}: {other} holds no "), content

    def test_the_key_of_another(self, own: Issued, authority: Authority) -> None:
        """A pair that does not belong together is refused."""
        other = authority.issue("other")

        assert "is not the key of the certificate in" in self.refusal(TlsFiles(own.cert, other.key))

    def test_a_key_with_a_passphrase(self, own: Issued, tmp_path: Path) -> None:
        """Nobody is asked for it, on no terminal."""
        key = serialization.load_pem_private_key(own.key.read_bytes(), None)
        locked = tmp_path / "locked.key"
        locked.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.BestAvailableEncryption(b"secret"),
            )
        )

        assert f"{locked} has a passphrase; openssl pkey" in self.refusal(
            TlsFiles(own.cert, locked)
        )

    def test_a_key_too_short_for_openssl(self, authority: Authority) -> None:
        """What OpenSSL holds against a certificate is said in its own words."""
        weak = rsa.generate_private_key(65537, 1024)
        problem = self.refusal(files_of(authority.issue("weak", key=weak)))

        assert problem.startswith("LOGOPS_TLS_CERT: ")
        assert problem.endswith("EE_KEY_TOO_SMALL; make another one")

    def test_a_file_that_vanishes_meanwhile(
        self, own: Issued, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A file may be gone between two looks at it."""

        def read(setting: str, path: Path) -> bytes:
            data = path.read_bytes()
            if setting == "LOGOPS_TLS_KEY":
                path.unlink()
            return data

        monkeypatch.setattr(tls, "_read", read)

        assert "No such file or directory; name a PEM file" in self.refusal(files_of(own))


class TestChanges:
    def test_a_new_pair_is_used_when_it_keeps_still(
        self, authority: Authority, own: Issued
    ) -> None:
        """A file that changed since the last look may yet be changing."""
        log = FakeLog()
        certificates = Certificates(files_of(own), as_log(log))
        first = certificates.loaded
        certificates.refresh()
        other = authority.issue("other", days=2)
        os.replace(other.cert, own.cert)
        certificates.refresh()
        os.replace(other.key, own.key)
        certificates.refresh()
        assert certificates.loaded is first
        certificates.refresh()
        certificates.refresh()

        assert certificates.loaded.expires == other.expires
        assert log.events() == ["TLS certificates loaded"]

    def test_a_bad_file_is_refused_once(self, own: Issued) -> None:
        """The old ones stay, with one line for each change; what is mended is taken."""
        log = FakeLog()
        certificates = Certificates(files_of(own), as_log(log))
        context = certificates.loaded.context
        good = own.cert.read_bytes()
        own.cert.write_bytes(b"bad")
        for _ in range(4):
            certificates.refresh()

        assert certificates.loaded.context is context
        assert log.events() == ["TLS certificates refused"]
        assert "holds no certificate" in str(log.values("TLS certificates refused")["problem"])

        own.cert.unlink()
        for _ in range(4):
            certificates.refresh()
        own.cert.write_bytes(good)
        for _ in range(4):
            certificates.refresh()

        assert certificates.loaded.context is not context
        assert log.events()[1:] == ["TLS certificates refused", "TLS certificates loaded"]

    def test_a_reload_goes_before_what_was_being_loaded(
        self, authority: Authority, own: Issued, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Files that were read while the settings changed are not those to use any more."""
        certificates = Certificates(files_of(own), as_log(FakeLog()))
        newer = load(files_of(authority.issue("newer", days=3)))

        def load_slowly(files: TlsFiles) -> tls.Loaded:
            certificates.use(newer)
            return load(files)

        monkeypatch.setattr(tls, "load", load_slowly)
        os.utime(own.cert, (1, 1))
        certificates.refresh()
        certificates.refresh()

        assert certificates.loaded is newer

    def test_the_files_are_watched(
        self, authority: Authority, own: Issued, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The daemon looks by itself."""
        monkeypatch.setattr(tls, "POLL_SECONDS", 0.001)
        certificates = Certificates(files_of(own), as_log(FakeLog()))
        other = authority.issue("other", days=2)

        async def main() -> None:
            watching = asyncio.create_task(certificates.watch())
            os.replace(other.cert, own.cert)
            os.replace(other.key, own.key)
            await until(lambda: certificates.loaded.expires == other.expires)
            watching.cancel()
            await asyncio.wait([watching])

        asyncio.run(main())
