# cython: language_level=3, boundscheck=False, wraparound=False
"""Stamps of RFC 3339; see stamps.pxd."""

from cpython.unicode cimport PyUnicode_DecodeASCII
from libc.string cimport memcmp, memcpy

from logopsd.compiled.text cimport Text, is_digit

cdef extern from "Python.h":
    void* PyUnicode_DATA(object)
    object PyUnicode_New(Py_ssize_t size, Py_UCS4 maxchar)


cdef inline str ascii(Text begin, Py_ssize_t length):
    return PyUnicode_DecodeASCII(<const char*>begin, length, NULL)


cdef inline bint is_second(Text p) noexcept:
    """YYYY-MM-DDThh:mm:ss."""
    return (
        two_digits(p)
        and two_digits(p + 2)
        and p[4] == b"-"
        and two_digits(p + 5)
        and p[7] == b"-"
        and two_digits(p + 8)
        and p[10] == b"T"
        and is_clock(p + 11)
    )


cdef Stamp read_stamp(Text p) noexcept:
    """Take a stamp apart. Behind the text must stand a NUL."""
    cdef Stamp stamp
    cdef Text zone
    stamp.digits = stamp.zone = stamp.end = NULL
    if not is_second(p):
        return stamp
    zone = stamp.digits = p + SECOND
    if zone[0] == b".":
        zone += 1
        while is_digit(zone[0]):
            zone += 1
        if zone == p + SECOND + 1:
            return stamp
        stamp.digits = min(zone, p + SECOND + FRACTION)
    stamp.zone = zone
    if zone[0] == b"Z":
        stamp.end = zone + 1
    elif (
        (zone[0] == b"+" or zone[0] == b"-")
        and two_digits(zone + 1)
        and zone[3] == b":"
        and two_digits(zone + 4)
    ):
        stamp.end = zone + ZONE
    return stamp


cdef class Times:
    """Gives the times of stamps, and remembers the last second.

    Args:
        iso: `Stamps.iso`.
    """

    def __init__(self, iso):
        self.iso = iso
        self.zone_length = -1

    cdef str time_of(self, Text p, const Stamp* stamp):
        """Give the time that a stamp tells, in UTC; None where it tells none."""
        cdef Py_ssize_t zone_length = stamp.end - stamp.zone
        cdef Py_ssize_t fraction = stamp.digits - (p + SECOND)
        cdef str made
        cdef unsigned char* out
        if (
            self.zone_length != zone_length
            or memcmp(self.second, p, SECOND) != 0
            or memcmp(self.zone, stamp.zone, zone_length) != 0
        ):
            base = self.iso[ascii(p, SECOND) + ascii(stamp.zone, zone_length)]
            if len(base) != SECOND or not base.isascii():
                return None
            memcpy(self.second, p, SECOND)
            memcpy(self.zone, stamp.zone, zone_length)
            self.base, self.zone_length = base, zone_length
        made = PyUnicode_New(SECOND + fraction + 1, 127)
        out = <unsigned char*>PyUnicode_DATA(made)
        memcpy(out, PyUnicode_DATA(self.base), SECOND)
        memcpy(out + SECOND, p + SECOND, fraction)
        out[SECOND + fraction] = b"Z"
        return made
