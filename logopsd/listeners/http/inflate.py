"""Decompresses request bodies as they come, a bounded piece at a time."""

import zlib
from collections.abc import Iterator

CODINGS = ("gzip", "x-gzip", "deflate")
"""The content codings that are understood, RFC 9110 section 8.4.1; `identity` is none at all."""

PIECE_BYTES = 256 * 1024
"""The most that one step may inflate to, in bytes: as much as one read of a socket brings."""

MAX_MEMBERS = 1000
"""gzip members in one body. A file put together from many has a few; each costs a new
decompressor, and 16 MiB of empty members would cost seconds."""

_GZIP = zlib.MAX_WBITS | 16
_ZLIB = zlib.MAX_WBITS
_RAW = -zlib.MAX_WBITS
_ZLIB_HEADER_BYTES = 2


class InflateError(Exception):
    """The body is not what its Content-Encoding says; the text tells what is wrong."""


class Inflater:
    """Decompresses one body.

    Args:
        coding: one of CODINGS.
    """

    def __init__(self, coding: str) -> None:
        self._is_gzip = coding != "deflate"
        self._stream = zlib.decompressobj(_GZIP) if self._is_gzip else None
        self._members = 1
        self._held = b""

    def inflate(self, data: bytes) -> Iterator[bytes]:
        """Yield what the next bytes inflate to, in pieces of at most PIECE_BYTES.

        Raises:
            InflateError: the bytes are not valid.
        """
        if self._stream is None:
            data = self._held + data
            if len(data) < _ZLIB_HEADER_BYTES:
                self._held = data
                return
            self._stream = zlib.decompressobj(_ZLIB if _has_zlib_header(data) else _RAW)
        piece = b""
        # A full piece may have left output behind inside zlib with all input consumed.
        while data or len(piece) == PIECE_BYTES:
            if self._stream.eof:
                if not data:
                    return
                self._stream = self._next_member()
            try:
                piece = self._stream.decompress(data, PIECE_BYTES)
            except zlib.error:
                raise InflateError("the compressed body is damaged") from None
            data = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail
            if piece:
                yield piece

    def end(self) -> None:
        """Check that the stream is complete, as the body is.

        Raises:
            InflateError: it is not.
        """
        if self._stream is None or not self._stream.eof:
            raise InflateError("the compressed body ends too early")

    def _next_member(self) -> "zlib._Decompress":
        if not self._is_gzip:
            raise InflateError("there are bytes behind the end of the compressed body")
        if self._members == MAX_MEMBERS:
            raise InflateError(f"the body has more than {MAX_MEMBERS} gzip members")
        self._members += 1
        return zlib.decompressobj(_GZIP)


def _has_zlib_header(data: bytes) -> bool:
    """Tell zlib's format from a bare deflate stream, which some clients send: RFC 1950 2.2."""
    return data[0] & 0x0F == 8 and (data[0] << 8 | data[1]) % 31 == 0
