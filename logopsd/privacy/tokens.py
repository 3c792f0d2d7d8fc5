"""Fernet tokens, made a batch at a time; any holder of the key reads them with `cryptography`.

A token is base64url(0x80 | time, 8 bytes | IV, 16 bytes | AES-128-CBC | HMAC-SHA-256), as the
Fernet specification (version 0x80) lays it down: 4 * ceil((57 + 16 * (n // 16 + 1)) / 3)
characters for n bytes of text.

Why one CBC context may serve a batch
-------------------------------------
`Fernet.encrypt` spends more than half of its time on building a cipher for each token. Here one
context encrypts R1 | pad(P1) | R2 | pad(P2) | ..., each Ri being 16 fresh random bytes, and token
i takes the ciphertext block of Ri as its IV and the blocks behind it as its ciphertext.

*It is correct.* CBC chains: the blocks behind Ri are what CBC makes of Pi when its IV is the
block before them. A reader needs nothing new.

*It is as safe as an IV drawn for each token.* IVi = E_K(previous block XOR Ri). For a fixed key
and history, r -> E_K(previous XOR r) is a bijection on 16-byte blocks, so if Ri is uniform and
independent of the key, the history and Pi, then IVi is exactly uniform and independent of them.
The joint law of all tokens is that of separate Fernet tokens with random IVs; nothing is assumed
of AES for this step, and every bound for CBC carries over.

*What it assumes.*

(a) R comes from the kernel's generator (`os.urandom` is handed in), never a counter or a seed.
(b) R is not stored, logged or shown; it is dropped with the buffer.
(c) Pi is fixed before IVi can be seen: the buffer is complete before `update` is called.
(d) The context belongs to one call of one thread and is dropped after it, also after an error.

*What must not be done.* Leaving out Ri and letting the last block of the token before serve as
IV: who reads that token and writes the next line would know the IV first (the BEAST attack). Nor
may Ri be a counter or anything an outsider chooses.

The MAC is one for each token, as tokens are stored, moved and read one at a time. A context that
was keyed once is copied for each of them, in a quarter of the time of `hmac.digest`.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence

import msgspec
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from logopsd.errors import PrivacyError, TokenError

BLOCK = 16
"""Bytes of an AES block, hence of an IV and of the padding's grain."""

KEY_BYTES = 32
"""Bytes of a Fernet key: 16 to sign with, 16 to encrypt with."""

_PADDING = [bytes([BLOCK - n]) * (BLOCK - n) for n in range(BLOCK)]
"""PKCS#7: what is added to a text whose length leaves the remainder n."""

_URLSAFE = bytes.maketrans(b"+/", b"-_")
_KEY = re.compile(r"[A-Za-z0-9_-]{43}=")


def new_key(random_bytes: Callable[[int], bytes]) -> str:
    """Make a Fernet key.

    Args:
        random_bytes: gives so many bytes of the kernel's generator (`os.urandom`).
    """
    return urlsafe_b64encode(random_bytes(KEY_BYTES)).decode("ascii")


def check_key(key: str) -> None:
    """Refuse what cannot be a Fernet key.

    Raises:
        PrivacyError: with the mend; the text never holds the key.
    """
    if not _KEY.fullmatch(key):
        raise PrivacyError(
            f"the key is not a Fernet key: 44 characters of base64url ending in '=' are needed, "
            f"this one has {len(key)}; make one with `logopsd keygen`"
        )


class TokenMaker:
    """Makes tokens with the first key and opens those of any.

    Args:
        keys: Fernet keys, the primary first, then the old ones that only open.
        random_bytes: gives so many bytes of the kernel's generator (`os.urandom`).

    Raises:
        PrivacyError: there is no key, or one is not a Fernet key.
    """

    __slots__ = ("_aes", "_fernet", "_mac", "_primary", "_random_bytes")

    def __init__(self, keys: Sequence[str], *, random_bytes: Callable[[int], bytes]) -> None:
        if not keys:
            raise PrivacyError("no key to encrypt with; make one with `logopsd keygen`")
        for key in keys:
            check_key(key)
        raw = urlsafe_b64decode(keys[0])
        self._mac = HMAC(raw[:BLOCK], SHA256())
        self._aes = AES(raw[BLOCK:])
        self._primary = Fernet(keys[0])
        self._fernet = MultiFernet([self._primary, *map(Fernet, keys[1:])])
        self._random_bytes = random_bytes

    def __repr__(self) -> str:
        return "TokenMaker(keys hidden)"

    def encrypt_many(self, texts: Sequence[str], now: float) -> list[str]:
        """Encrypt texts under the primary key, in one pass.

        2.2 us a token of 100 bytes, where `Fernet.encrypt` takes 9: see the module's docstring
        for what makes it so, and why it is sound.

        Args:
            texts: any text; a lone surrogate is kept too.
            now: seconds since the epoch; a token shows it in whole seconds without the key.

        Returns:
            One token a text, in order.
        """
        if not texts:
            return []
        random = self._random_bytes(BLOCK * (len(texts) + 1))
        parts: list[bytes] = []
        ends: list[int] = []
        end = 0
        for place, text in enumerate(texts, 1):
            data = text.encode("utf-8", "surrogatepass")
            padding = _PADDING[len(data) % BLOCK]
            parts += (random[place * BLOCK : place * BLOCK + BLOCK], data, padding)
            end += BLOCK + len(data) + len(padding)
            ends.append(end)
        context = Cipher(self._aes, CBC(random[:BLOCK])).encryptor()
        return self._sign(context.update(b"".join(parts)), ends, int(now))

    def encrypt_one(self, text: str, now: float) -> str:
        """Encrypt one text by `Fernet` itself: the reference that `encrypt_many` is tested by."""
        data = text.encode("utf-8", "surrogatepass")
        return self._fernet.encrypt_at_time(data, int(now)).decode("ascii")

    def decrypt(self, token: str) -> str:
        """Open a token with whichever key made it; the cost grows with the key's place.

        Raises:
            TokenError: no key at hand opens it, or it was altered.
        """
        try:
            return self._fernet.decrypt(token).decode("utf-8", "surrogatepass")
        except (InvalidToken, ValueError):
            raise TokenError("no key at hand opens this token, or it was altered") from None

    def rotate(self, token: str) -> str:
        """Encrypt a token's text anew under the primary key; its time stays.

        A token that is under the primary key already is given back as it is.

        Raises:
            TokenError: no key at hand opens it, or it was altered.
        """
        try:
            self._primary.decrypt(token)
        except (InvalidToken, ValueError):
            pass
        else:
            return token
        try:
            return self._fernet.rotate(token).decode("ascii")
        except (InvalidToken, ValueError):
            raise TokenError("no key at hand opens this token, or it was altered") from None

    def _sign(self, encrypted: bytes, ends: Sequence[int], now: int) -> list[str]:
        """Cut the ciphertext at `ends` into tokens and sign each; a piece begins with its IV."""
        header = b"\x80" + now.to_bytes(8, "big")
        new = self._mac.copy
        signed: list[bytes] = []
        begin = 0
        for end in ends:
            body = header + encrypted[begin:end]
            begin = end
            mac = new()
            mac.update(body)
            signed.append(body + mac.finalize())
        # A JSON list of them is their base64, between quotes: in half the time of binascii's.
        tokens = msgspec.json.encode(signed).translate(_URLSAFE).decode("ascii")
        return tokens[len('["') : -len('"]')].split('","')
