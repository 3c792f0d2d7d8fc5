"""Stamps of RFC 3339, byte by byte, for what reads them within a line or alone."""

from logopsd.compiled.text cimport Text, is_digit

cdef enum:
    SECOND = 19  # YYYY-MM-DDThh:mm:ss
    FRACTION = 7  # the dot and the digits that are kept
    ZONE = 6  # Z, +hh:mm


cdef struct Stamp:
    Text digits  # where the digits of the fraction end that are kept
    Text zone
    Text end  # NULL where it is no stamp


cdef inline bint two_digits(Text p) noexcept nogil:
    return is_digit(p[0]) and is_digit(p[1])


cdef inline bint is_clock(Text p) noexcept nogil:
    """hh:mm:ss."""
    return (
        two_digits(p) and p[2] == b":" and two_digits(p + 3) and p[5] == b":" and two_digits(p + 6)
    )


cdef Stamp read_stamp(Text p) noexcept

cdef class Times:
    cdef object iso
    cdef unsigned char second[SECOND]
    cdef unsigned char zone[ZONE]
    cdef Py_ssize_t zone_length
    cdef str base

    cdef str time_of(self, Text p, const Stamp* stamp)
