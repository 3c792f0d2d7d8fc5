"""Bytes as what is compiled sees them."""

ctypedef const unsigned char* Text


cdef inline bint is_digit(unsigned char c) noexcept nogil:
    return 48 <= c <= 57


cdef inline bint is_trailer(unsigned char c) noexcept nogil:
    """What senders put behind a frame is no content."""
    return c == b"\n" or c == b"\r" or c == 0


cdef extern from "Python.h":
    bint PyUnicode_IS_COMPACT_ASCII(object)
    void* PyUnicode_DATA(object)
    Py_ssize_t PyUnicode_GET_LENGTH(object)

cdef enum:
    SHORT_NUMBER = 8  # digits of a text that is nothing personal, whatever it is


cdef inline bint are_digits(str text) noexcept:
    """Whether a text has ASCII digits and nothing else; of an empty one that is so."""
    cdef Text p
    cdef Py_ssize_t place
    if not PyUnicode_IS_COMPACT_ASCII(text):
        return False
    p = <Text>PyUnicode_DATA(text)
    for place in range(PyUnicode_GET_LENGTH(text)):
        if not is_digit(p[place]):
            return False
    return True


cdef inline bint is_short_number(str text) noexcept:
    return PyUnicode_GET_LENGTH(text) <= SHORT_NUMBER and are_digits(text)
