# cython: language_level=3
"""How deep values of JSON are nested."""


def is_deeper(value, int limit):
    """Say whether more than `limit` lists and objects of a value stand within each other.

    Args:
        value: as decoded from JSON.
        limit: a few hundred, as each level takes a piece of the stack.
    """
    return _is_deeper(value, limit)


cdef bint _is_deeper(value, int left) except -1:
    cdef type kind = type(value)
    if kind is dict:
        if left == 0:
            return True
        for item in (<dict>value).values():
            if _is_deeper(item, left - 1):
                return True
    elif kind is list:
        if left == 0:
            return True
        for item in <list>value:
            if _is_deeper(item, left - 1):
                return True
    return False
