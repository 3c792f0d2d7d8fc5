# cython: language_level=3, boundscheck=False, wraparound=False
"""Payloads as most programs write them, into records.

Whoever has one time, one level and one message under the usual names, in the usual forms, and
nothing that collides with a field of ours, needs no closer look. Of any other payload this makes
nothing, and `parsing.normalize` reads it.
"""

from cpython.dict cimport PyDict_Next
from cpython.object cimport PyObject

from logopsd.compiled.stamps cimport Stamp, Times, read_stamp
from logopsd.compiled.text cimport (
    PyUnicode_DATA,
    PyUnicode_GET_LENGTH,
    PyUnicode_IS_COMPACT_ASCII,
    Text,
)

cdef enum:
    LONGEST_STAMP = 64  # characters, as `Stamps` has it

    # Of a shape, as `parsing.shapes` has them; else it is the name of the service.
    OTHER = 0
    TIME = 1
    LEVEL = 2
    MSG = 3


cdef class PayloadReader:
    """Reads payloads.

    Args:
        record: the class of what it makes, with the fields of `Record`, by their places.
        shapes: `Shapes`.
        levels: words in lower case -> level.
        iso: `Stamps.iso`.
    """

    cdef object record, shapes, levels
    cdef Times times
    cdef tuple names  # of the payload before, and its shape
    cdef bytes shape
    # Of the batch that is being read.
    cdef str input, received
    cdef int missing_ts, missing_level

    def __init__(self, record, shapes, levels, iso):
        self.record, self.shapes, self.levels = record, shapes, levels
        self.times = Times(iso)

    def read(self, payloads, peer, batch, str format, str emitter):
        """Read payloads, and count in the batch what they lack.

        Args:
            payloads: as decoded.
            peer: see `Normalizer.records`, as the others.

        Returns:
            The record of each, None where a closer look is needed; and the places of these.
        """
        cdef list records = []
        cdef list left = []
        cdef object record
        cdef Py_ssize_t place
        self.input, self.received = batch.input, batch.received
        self.missing_ts = self.missing_level = 0
        for place, payload in enumerate(payloads):
            record = self.read_one(payload, peer, format, emitter)
            if record is None:
                left.append(place)
            records.append(record)
        batch.missing_ts += self.missing_ts
        batch.missing_level += self.missing_level
        return records, left

    cdef object read_one(self, payload, peer, str format, str emitter):
        cdef dict extras = {}
        cdef object time = None
        cdef object level = None
        cdef object msg = ""
        cdef PyObject* name
        cdef PyObject* found
        cdef Py_ssize_t step = 0
        cdef Py_ssize_t place = 0
        cdef bytes shape  # held here while `roles` points into it
        cdef const unsigned char* roles
        if type(payload) is not dict or not self.has_shape(<dict>payload):
            return None
        roles = shape = self.shape
        while PyDict_Next(payload, &step, &name, &found):
            value = <object>found
            role = roles[place]
            place += 1
            if role == OTHER:
                if not is_scalar(value):
                    return None
                extras[<object>name] = value
            elif role == TIME:
                time = self.time_of(value)
                if time is None:
                    return None
            elif type(value) is not str:
                return None
            elif role == LEVEL:
                level = self.levels.get(value)
                if level is None:
                    level = self.levels.get((<str>value).lower())
                    if level is None:
                        return None
            elif role == MSG:
                if not is_trimmed(<str>value) and not (<str>value).strip():
                    return None
                msg = value
            else:
                extras[<object>name] = value
                emitter = (value if is_trimmed(<str>value) else (<str>value).strip()) or emitter
        self.missing_ts += time is None
        self.missing_level += level is None
        return self.record(
            self.received if time is None else time,
            "INFO" if level is None else level,
            msg,
            None,
            emitter,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            self.input,
            peer,
            self.received,
            format,
            None,
            None,
            None,
            False,
            0,
            extras or None,
        )

    cdef bint has_shape(self, dict payload) except -1:
        """Find the shape of a payload; mostly it has the names of the one before it."""
        cdef PyObject* name
        cdef Py_ssize_t step = 0
        cdef Py_ssize_t place = 0
        if self.names is not None and len(self.names) == len(payload):
            while PyDict_Next(payload, &step, &name, NULL):
                if name is not <PyObject*>self.names[place]:
                    break
                place += 1
            if place == len(self.names):
                return True
        names = tuple(payload)
        self.shape = self.shapes[names]
        self.names = None if self.shape is None else names  # those of a shape are bounded
        return self.shape is not None

    cdef object time_of(self, value):
        """The time of a stamp in its most usual form alone; None for all else."""
        cdef Text p
        cdef Stamp stamp
        if type(value) is not str or not PyUnicode_IS_COMPACT_ASCII(value):
            return None
        if PyUnicode_GET_LENGTH(value) > LONGEST_STAMP:
            return None
        p = <Text>PyUnicode_DATA(value)  # behind it stands a NUL
        stamp = read_stamp(p)
        if stamp.end != p + PyUnicode_GET_LENGTH(value):
            return None
        return self.times.time_of(p, &stamp)


cdef inline bint is_trimmed(str text) noexcept:
    """Whether a text surely has something in it, and no white space around that."""
    cdef Py_ssize_t length = PyUnicode_GET_LENGTH(text)
    cdef Text p
    if length == 0 or not PyUnicode_IS_COMPACT_ASCII(text):
        return False
    p = <Text>PyUnicode_DATA(text)
    return p[0] > 32 and p[length - 1] > 32


cdef inline bint is_scalar(value) noexcept:
    kind = type(value)
    return kind is str or kind is int or kind is float or kind is bool or value is None
