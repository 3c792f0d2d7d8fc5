"""Bytes as what is compiled sees them."""

ctypedef const unsigned char* Text


cdef inline bint is_digit(unsigned char c) noexcept nogil:
    return 48 <= c <= 57


cdef inline bint is_trailer(unsigned char c) noexcept nogil:
    """What senders put behind a frame is no content."""
    return c == b"\n" or c == b"\r" or c == 0
