# cython: language_level=3, boundscheck=False, wraparound=False
"""The texts of flat payloads, which most are: structured data, fields of a JSON object."""

cdef extern from "Python.h":
    bint PyUnicode_IS_COMPACT_ASCII(object)
    void* PyUnicode_DATA(object)
    Py_ssize_t PyUnicode_GET_LENGTH(object)

cdef enum:
    SHORT_NUMBER = 8  # digits of a text that is nothing personal, whatever it is


def collect_flat(list mappings, list texts, list places, dict keys, object kind, long small):
    """Append what `leaves.collect` would, but for texts that are short numbers.

    Args:
        mappings: payloads.
        texts: is appended to.
        places: is appended to likewise: (mapping, key, kind) of each text.
        keys: those that need not be looked at -> whether they tell what their value is.
        kind: of a place that holds a value.
        small: integers below hold too few digits to be anything personal.

    Returns:
        Whether all is flat, small and under known keys that tell nothing; if not, nothing was
        appended.
    """
    cdef Py_ssize_t texts_before = len(texts)
    cdef Py_ssize_t places_before = len(places)
    for mapping in mappings:
        if not take_all(mapping, texts, places, keys, kind, small):
            del texts[texts_before:]
            del places[places_before:]
            return False
    return True


cdef bint take_all(mapping, list texts, list places, dict keys, kind, long small) except -1:
    """Take a payload; False where it needs a closer look."""
    if type(mapping) is not dict:
        return False
    for key, value in (<dict>mapping).items():
        if keys.get(key, True):
            return False
        if type(value) is str:
            if not is_short_number(value):
                texts.append(value)
                places.append((mapping, key, kind))
        elif type(value) is int or type(value) is float:
            if not -small < value < small:
                return False
        elif value is not None and type(value) is not bool:
            return False
    return True


cdef inline bint is_short_number(value) noexcept:
    cdef const unsigned char* p
    cdef Py_ssize_t place
    cdef Py_ssize_t length = PyUnicode_GET_LENGTH(value)
    if length > SHORT_NUMBER or not PyUnicode_IS_COMPACT_ASCII(value):
        return False
    p = <const unsigned char*>PyUnicode_DATA(value)
    for place in range(length):
        if not b"0" <= p[place] <= b"9":
            return False
    return True
