# cython: language_level=3, boundscheck=False, wraparound=False
"""Payloads as most programs write them, into records.

Whoever has one time, one level and one message under the usual names, in the usual forms, and
nothing that collides with a field of ours, needs no closer look. Of any other payload this makes
nothing, and `parsing.normalize` reads it.
"""

from logopsd.compiled.stamps cimport Stamp, Times, read_stamp
from logopsd.compiled.text cimport Text

cdef extern from "Python.h":
    bint PyUnicode_IS_COMPACT_ASCII(object)
    void* PyUnicode_DATA(object)
    Py_ssize_t PyUnicode_GET_LENGTH(object)

cdef enum:
    LONGEST_STAMP = 64  # characters, as `Stamps` has it


cdef class PayloadReader:
    """Reads payloads.

    Args:
        record: the class of what it makes, with the fields of `Record`, by their places.
        shapes: names -> `Shape`, or None.
        levels: words in lower case -> level.
        iso: `Stamps.iso`.
    """

    cdef object record, shapes, levels
    cdef Times times
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
            peer: see `Normalizer.record`, as the others.

        Returns:
            What `Normalizer.record` makes of each, None where a closer look is needed; and the
            places of these.
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
        cdef dict fields, extras
        cdef object time = None
        cdef object level = None
        cdef object msg = ""
        if type(payload) is not dict:
            return None
        fields = payload
        shape = self.shapes[tuple(fields)]
        if shape is None:
            return None
        time_name, level_name, msg_name, has_service, rest = <tuple>shape
        if time_name is not None:
            time = self.time_of(fields[time_name])
            if time is None:
                return None
        if level_name is not None:
            value = fields[level_name]
            if type(value) is not str:
                return None
            level = self.levels.get((<str>value).lower())
            if level is None:
                return None
        if msg_name is not None:
            msg = fields[msg_name]
            if type(msg) is not str or not msg or (<str>msg).isspace():
                return None
        extras = {}
        for name in <tuple>rest:
            value = fields[name]
            if not is_scalar(value):
                return None
            extras[name] = value
        if has_service:
            value = extras["service"]
            if type(value) is not str:
                return None
            emitter = (<str>value).strip() or emitter
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


cdef inline bint is_scalar(value) noexcept:
    kind = type(value)
    return kind is str or kind is int or kind is float or kind is bool or value is None
