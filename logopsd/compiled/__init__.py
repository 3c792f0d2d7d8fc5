"""What the hot stages do in C, for the usual line, where a compiler built it; see decision 10.

Each part does a narrow piece of what one stage does, and leaves whatever it is not sure of to that
stage, which does all of it in Python and is the reference of its tests:

    counted   octet-counted frames    framing.syslog_stream
    depth     how deep JSON is        parsing.json_text
    fields    many records' fields    privacy.slots, figures.shares, encoding
    headers   frames into records     parsing.rfc3164, parsing.rfc5424
    leaves    texts of payloads       privacy.leaves
    payloads  usual JSON objects      parsing.normalize
    sieve     what is to be masked    privacy.masking
    datagrams many with one call      listeners.datagram_reader

Where nothing was built, or `LOGOPSD_PURE_PYTHON` is set in the environment, the names are None.
"""

import os
from typing import TYPE_CHECKING

from logopsd.records import Record

if TYPE_CHECKING:
    from collections.abc import Callable

    from logopsd.compiled.datagrams import DatagramReader as _DatagramReader
    from logopsd.compiled.fields import RecordFields
    from logopsd.compiled.headers import HeaderReader as _HeaderReader
    from logopsd.compiled.payloads import PayloadReader as _PayloadReader
    from logopsd.compiled.sieve import Sieve as _Sieve

DatagramReader: "type[_DatagramReader] | None" = None
HeaderReader: "type[_HeaderReader[Record]] | None" = None
PayloadReader: "type[_PayloadReader] | None" = None
Sieve: "type[_Sieve] | None" = None
collect_usual: "Callable[..., bool] | None" = None
find_counted: "Callable[[bytes, int], int] | None" = None
is_deeper: "Callable[[object, int], bool] | None" = None
record_fields: "RecordFields | None" = None
take_counted: "Callable[[bytes, int, int, list[bytes]], int] | None" = None
without_seams: "Callable[[bytes, bytes, int, int], bytes] | None" = None

if not os.environ.get("LOGOPSD_PURE_PYTHON"):
    try:
        from logopsd.compiled import (
            counted,
            datagrams,
            depth,
            fields,
            headers,
            leaves,
            payloads,
            sieve,
        )
    except ImportError:  # there was no compiler
        pass
    else:
        DatagramReader = datagrams.DatagramReader
        HeaderReader, PayloadReader = headers.HeaderReader, payloads.PayloadReader
        Sieve = sieve.Sieve
        record_fields, without_seams = fields.RecordFields(Record), fields.without_seams
        collect_usual, is_deeper = leaves.collect_usual, depth.is_deeper
        find_counted, take_counted = counted.find_counted, counted.take_counted

IS_COMPILED = Sieve is not None
"""Whether they are used."""
