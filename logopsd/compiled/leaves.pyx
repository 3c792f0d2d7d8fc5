# cython: language_level=3, boundscheck=False, wraparound=False
"""The texts of usual payloads, which most are: structured data, fields of a JSON object."""

from logopsd.compiled.text cimport is_short_number


def collect_usual(
    list mappings, list texts, list places, dict keys, object kind, long small, int limit
):
    """Append what `leaves.collect` would, but for texts that are short numbers.

    Args:
        mappings: payloads.
        texts: is appended to.
        places: is appended to likewise: (mapping, key, kind) of each text.
        keys: those that need not be looked at -> whether they tell what their value is.
        kind: of a place that holds a value.
        small: integers below hold too few digits to be anything personal.
        limit: how many mappings may stand within each other.

    Returns:
        Whether all is mappings, texts and what is small, under known keys that tell nothing; if
        not, nothing was appended.
    """
    cdef Py_ssize_t texts_before = len(texts)
    cdef Py_ssize_t places_before = len(places)
    for mapping in mappings:
        if not take_all(mapping, texts, places, keys, kind, small, limit):
            del texts[texts_before:]
            del places[places_before:]
            return False
    return True


cdef bint take_all(
    mapping, list texts, list places, dict keys, kind, long small, int limit
) except -1:
    """Take a payload; False where it needs a closer look."""
    if type(mapping) is not dict or limit == 0:
        return False
    for key, value in (<dict>mapping).items():
        if keys.get(key, True):
            return False
        if type(value) is str:
            if not is_short_number(<str>value):
                texts.append(value)
                places.append((mapping, key, kind))
        elif type(value) is int or type(value) is float:
            if not -small < value < small:
                return False
        elif type(value) is dict:
            if not take_all(value, texts, places, keys, kind, small, limit - 1):
                return False
        elif value is not None and type(value) is not bool:
            return False
    return True
