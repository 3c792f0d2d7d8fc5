# cython: language_level=3, boundscheck=False, wraparound=False
"""Octet-counted frames (RFC 6587 section 3.4.1): cut, and found behind lines."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.string cimport memchr

from logopsd.compiled.text cimport Text, is_trailer

cdef enum:
    LEAST = 5  # of a count: no PRI is longer
    MOST_DIGITS = 9


def take_counted(bytes data not None, Py_ssize_t pos, Py_ssize_t most, list frames not None):
    """Append frames as long as one follows the other, as `SyslogStreamFramer` cuts them.

    Args:
        data: what was read.
        pos: where the first one begins.
        most: bytes of the longest frame that is taken.
        frames: is appended to.

    Returns:
        Where the first thing stands that is no such frame, or not all of one.
    """
    cdef Text p = <Text>PyBytes_AS_STRING(data)
    cdef Py_ssize_t size = PyBytes_GET_SIZE(data)
    cdef Py_ssize_t at, count, end
    cdef int digits
    if not 0 <= pos <= size:
        return pos
    while True:
        at = pos
        while at < size and is_trailer(p[at]):
            at += 1
        # Behind the last byte stands a NUL, which ends each of these steps.
        if not b"1" <= p[at] <= b"9":
            break
        count = digits = 0
        while b"0" <= p[at] <= b"9" and digits < MOST_DIGITS:
            count = count * 10 + p[at] - 48
            digits += 1
            at += 1
        if p[at] != b" " or not is_pri(p + at + 1) or not LEAST <= count <= most:
            break
        at += 1
        end = at + count
        if end > size:
            break
        pos = end
        while is_trailer(p[end - 1]):
            end -= 1  # not beyond the PRI
        frames.append(PyBytes_FromStringAndSize(<const char*>p + at, end - at))
    return pos


def find_counted(bytes data not None, Py_ssize_t pos):
    """Return where the LF stands behind which the first counted frame begins, or -1.

    Args:
        data: what was read, without a NUL.
        pos: where to begin.
    """
    cdef Text p = <Text>PyBytes_AS_STRING(data)
    cdef Py_ssize_t size = PyBytes_GET_SIZE(data)
    cdef const void* found
    cdef Text header
    while 0 <= pos < size:
        found = memchr(p + pos, b"\n", size - pos)
        if found == NULL:
            break
        header = <Text>found + 1
        while header[0] == b"\r":
            header += 1
        if is_header(header):
            return <Text>found - p
        pos = <Text>found - p + 1
    return -1


cdef inline bint is_header(Text p) noexcept:
    """A count and a PRI that is no longer than it."""
    cdef int digits = 0
    cdef Py_ssize_t count = 0
    if not b"1" <= p[0] <= b"9":
        return False
    while b"0" <= p[digits] <= b"9" and digits < MOST_DIGITS:
        count = count * 10 + p[digits] - 48
        digits += 1
    p += digits
    if p[0] != b" " or not is_pri(p + 1):
        return False
    if count >= LEAST:
        return True
    # `<`, its digits and `>`.
    return count == 4 and p[4] == b">" or count >= 3 and p[3] == b">"


cdef inline bint is_pri(Text p) noexcept:
    """`<[0-9]{1,3}>`."""
    cdef int digits = 1
    if p[0] != b"<":
        return False
    while digits <= 3 and b"0" <= p[digits] <= b"9":
        digits += 1
    return digits > 1 and p[digits] == b">"
