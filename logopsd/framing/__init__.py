"""Bytes of a stream into complete frames. Pure: no sockets, no clocks, no logs.

A framer has two methods and no exceptions: `receive_data(data)` and `receive_eof()`, both giving
`Frames`. "Need more" is a `Frames` with nothing in it. However a stream is split into reads, its
framer gives the same frames.
"""

FAULTS = ("entry", "field", "incomplete", "protocol", "resync")
"""Why a stream was malformed; the closed set of the reasons in `Frames.faults`.

- entry: an entry of a journal was malformed, and left out.
- field: a field of an entry was beyond what is kept of one, and left out.
- incomplete: the stream ended inside a counted frame; what had arrived of it is kept as a frame.
- protocol: a RELP peer broke the protocol; its connection is closed, and it sends again what was
  not answered.
- resync: what followed a counted frame was not the start of another (the count lied), or a stream
  of counted frames held something uncounted; the bytes up to the next landmark are kept as a frame.
"""
