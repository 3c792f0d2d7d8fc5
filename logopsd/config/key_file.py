"""A file of keys: one a line, the first makes tokens, the others only open them.

It is what LOGOPS_SECRET_KEY_FILE names, or the credential that systemd hands to the service
(systemd.exec(5), LoadCredential=), so that a key need not stand in the environment.
"""

from pathlib import Path
from typing import Final

import msgspec

from logopsd.config.catalogue import RefusedValueError
from logopsd.errors import PrivacyError

CREDENTIAL: Final = "logopsd.key"
"""The name of the credential, below $CREDENTIALS_DIRECTORY."""

MAX_BYTES: Final = 64 * 1024
"""A longer file was named by mistake: this one holds 1400 keys."""


class KeyFile(msgspec.Struct, frozen=True):
    """The file and what stood in it.

    Attributes:
        path: where it is.
        keys: at least one; never shown.
    """

    path: Path
    keys: tuple[str, ...]

    def __repr__(self) -> str:
        """The path alone."""
        return f"KeyFile(path={self.path!r})"


def load_keys(path: Path) -> KeyFile:
    """Read a file of keys; blank lines and those that begin with # are passed over.

    Raises:
        RefusedValueError: it cannot be read, or a line of it is no key; free of its content.
    """
    from logopsd.privacy.tokens import check_key  # cryptography loads only where a key is set

    keys = []
    for number, line in enumerate(_text(path).splitlines(), start=1):
        key = line.strip()
        if not key or key.startswith("#"):
            continue
        try:
            check_key(key)
        except PrivacyError as error:
            raise RefusedValueError(
                f"line {number} of it is no Fernet key; `logopsd keygen` makes one"
            ) from error
        keys.append(key)
    if not keys:
        raise RefusedValueError("there is no key in it; `logopsd keygen` makes one")
    return KeyFile(path, tuple(dict.fromkeys(keys)))


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a path"
        raise RefusedValueError(f"it cannot be read ({reason})") from error
    if len(data) > MAX_BYTES:
        raise RefusedValueError(f"it is longer than {MAX_BYTES} bytes")
    return data.decode("utf-8-sig", "replace")
