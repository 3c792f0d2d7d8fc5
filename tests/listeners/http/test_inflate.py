"""Decompression of bodies."""

import gzip
import tracemalloc
import zlib
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logopsd.listeners.http.inflate import (
    CODINGS,
    MAX_MEMBERS,
    PIECE_BYTES,
    InflateError,
    Inflater,
)

TEXT = b"Oct 11 22:14:15 host app: hello\n" * 50


def deflate(data: bytes, wbits: int) -> bytes:
    """Compress to zlib's format, or to bare deflate."""
    stream = zlib.compressobj(wbits=wbits)
    return stream.compress(data) + stream.flush()


ENCODERS = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": lambda data: deflate(data, zlib.MAX_WBITS),
    "bare deflate": lambda data: deflate(data, -zlib.MAX_WBITS),
}


def inflate(coding: str, pieces: Iterable[bytes]) -> bytes:
    """Decompress pieces to the end."""
    inflater = Inflater(coding.removeprefix("bare "))
    out = b"".join(part for piece in pieces for part in inflater.inflate(piece))
    inflater.end()
    return out


@pytest.mark.parametrize("name", ENCODERS)
def test_each_coding_is_read_whole_and_byte_by_byte(name: str) -> None:
    """However it arrives, the body is what was compressed."""
    packed = ENCODERS[name](TEXT)
    assert inflate(name, [packed]) == TEXT
    assert inflate(name, [packed[i : i + 1] for i in range(len(packed))]) == TEXT


def test_the_codings_tested_are_the_codings_served() -> None:
    """None is left out above."""
    assert set(CODINGS) <= set(ENCODERS)


@given(st.binary(max_size=2000), st.lists(st.integers(1, 200), max_size=30))
def test_any_split_gives_the_same(data: bytes, sizes: list[int]) -> None:
    """Reads of any size give the same body."""
    packed = gzip.compress(data, mtime=0)
    pieces = []
    for size in sizes:
        pieces.append(packed[:size])
        packed = packed[size:]
    assert inflate("gzip", [*pieces, packed]) == data


def test_members_of_gzip_follow_each_other() -> None:
    """A file put together from several is one body (RFC 1952 section 2.2)."""
    assert inflate("gzip", [gzip.compress(b"a") + gzip.compress(b"b")]) == b"ab"
    assert inflate("gzip", [gzip.compress(b"a"), gzip.compress(b"b")]) == b"ab"


def test_members_without_end_are_refused() -> None:
    """Empty members cost much more than the bytes they are."""
    packed = gzip.compress(b"", mtime=0)
    assert inflate("gzip", [packed * MAX_MEMBERS]) == b""
    with pytest.raises(InflateError, match="members"):
        inflate("gzip", [packed * (MAX_MEMBERS + 1)])


def test_a_bomb_comes_in_bounded_pieces() -> None:
    """A thousandfold body never stands in memory at once; who takes it may stop."""
    bomb = gzip.compress(bytes(64 * 1024 * 1024))
    assert len(bomb) < 70_000
    tracemalloc.start()
    try:
        sizes = [len(piece) for piece in Inflater("gzip").inflate(bomb)]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert max(sizes) <= PIECE_BYTES
    assert sum(sizes) == 64 * 1024 * 1024
    assert peak < 4 * PIECE_BYTES


@pytest.mark.parametrize("size", [PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 2 * PIECE_BYTES])
def test_nothing_stays_behind_where_a_piece_is_full(size: int) -> None:
    """Output that zlib holds back with all its input read comes out too."""
    assert len(inflate("gzip", [gzip.compress(bytes(size))])) == size


@pytest.mark.parametrize("name", ENCODERS)
def test_a_body_cut_short_is_refused(name: str) -> None:
    """A compressed body that ends too early is not taken for a whole one."""
    packed = ENCODERS[name](TEXT)
    for length in (0, 1, len(packed) - 1):
        with pytest.raises(InflateError, match="early"):
            inflate(name, [packed[:length]])


@pytest.mark.parametrize("coding", CODINGS)
def test_garbage_is_refused(coding: str) -> None:
    """Bytes that are not compressed are an error, not a crash."""
    with pytest.raises(InflateError):
        inflate(coding, [b"\xff" * 100])


def test_a_wrong_checksum_is_refused() -> None:
    """A body damaged on the way is not taken."""
    packed = bytearray(gzip.compress(TEXT))
    packed[-5] ^= 1
    with pytest.raises(InflateError, match="damaged"):
        inflate("gzip", [bytes(packed)])


def test_bytes_behind_the_end_are_refused() -> None:
    """What follows a deflate body is neither read nor passed over."""
    with pytest.raises(InflateError, match="behind"):
        inflate("deflate", [deflate(TEXT, zlib.MAX_WBITS) + b"more"])


@given(st.sampled_from(CODINGS), st.binary(max_size=300))
def test_any_bytes_give_a_body_or_the_one_error(coding: str, data: bytes) -> None:
    """No other exception comes out, whatever comes in."""
    try:
        inflate(coding, [data])
    except InflateError:
        pass
