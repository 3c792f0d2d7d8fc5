# cython: language_level=3, boundscheck=False, wraparound=False
"""The usual headers of RFC 3164 and RFC 5424, read byte by byte; the patterns say the same.

What is read here is a narrow part of what `parsing.rfc3164` and `parsing.rfc5424` read: header
words of printable ASCII, one blank between them, a stamp of the usual form. Of any other line this
makes nothing, and those read it. A message that may be structured itself is left as it stands, and
told of.

Every frame is a `bytes`, behind whose last byte CPython keeps a NUL. No class of characters holds
NUL, so that no loop here runs beyond the end, and the next byte may always be looked at.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.unicode cimport PyUnicode_DecodeASCII, PyUnicode_DecodeUTF8
from libc.string cimport memcmp, memcpy

from logopsd.compiled.stamps cimport Stamp, Times, is_clock, read_stamp
from logopsd.compiled.text cimport PyUnicode_DATA, PyUnicode_GET_LENGTH, Text

cdef enum:
    DIGIT = 1
    UPPER = 2
    LOWER = 4
    HOST = 8  # [A-Za-z0-9._-]
    IDENT = 16  # of a tag: what is printable, but : [ { " %
    PID = 32  # what is printable, but [ ]
    PARAM = 64  # of structured data: what is printable, but = ] " [
    GRAPH = 128  # what is printable

cdef enum:
    LONGEST_WORD = 128  # of a tag and of a process id, as the patterns have it
    STAMP = 15  # Mmm dd hh:mm:ss
    KEPT_WORDS = 1024  # a power of two; names of hosts, programs, messages and elements
    KEPT_LENGTH = 48  # characters of a word that is kept: all are 100 KiB at most

cdef unsigned char KIND[256]


cdef void fill_kinds() noexcept:
    cdef int c
    cdef unsigned char kind
    for c in range(256):
        kind = 0
        if 48 <= c <= 57:
            kind |= DIGIT | HOST
        elif 65 <= c <= 90:
            kind |= UPPER | HOST
        elif 97 <= c <= 122:
            kind |= LOWER | HOST
        elif c == 46 or c == 95 or c == 45:  # . _ -
            kind |= HOST
        if 33 <= c <= 126:
            kind |= GRAPH
            if c not in b':[{"%':
                kind |= IDENT
            if c not in b"[]":
                kind |= PID
            if c not in b'=]"[':
                kind |= PARAM
        KIND[c] = kind


fill_kinds()


cdef inline bint is_a(unsigned char c, unsigned char kind) noexcept:
    return KIND[c] & kind != 0


cdef inline bint is_bsd_stamp(Text p) noexcept:
    """Mmm dd hh:mm:ss and a blank."""
    return (
        is_a(p[0], UPPER)
        and is_a(p[1], LOWER)
        and is_a(p[2], LOWER)
        and p[3] == b" "
        and (p[4] == b" " or is_a(p[4], DIGIT))
        and is_a(p[5], DIGIT)
        and p[6] == b" "
        and is_clock(p + 7)
        and p[STAMP] == b" "
    )


cdef inline Text skip(Text p, unsigned char kind) noexcept:
    while is_a(p[0], kind):
        p += 1
    return p


cdef inline Text behind_bom(Text p) noexcept:
    return p + 3 if p[0] == 0xEF and p[1] == 0xBB and p[2] == 0xBF else p


cdef inline bint is_prose(Text p) noexcept:
    """Whether MESSAGE_HINT surely does not match what stands here; False where it may."""
    cdef Text q
    if is_a(p[0], DIGIT) or p[0] in b"{@%*.:,":
        return False
    if not (is_a(p[0], UPPER | LOWER) or p[0] == b"_"):
        return True
    q = p + 1
    while is_a(q[0], HOST) or q[0] >= 128:  # what is not ASCII may be a letter
        q += 1
    if q[0] == b",":
        return not (q[1] == b"!" or is_a(q[1], LOWER))
    return q[0] not in b"=:\t"


cdef inline str ascii(Text begin, Text end):
    return PyUnicode_DecodeASCII(<const char*>begin, end - begin, NULL)


cdef inline str utf8(Text begin, Text end):
    return PyUnicode_DecodeUTF8(<const char*>begin, end - begin, NULL)


cdef inline bint is_nil(Text begin, Text end) noexcept:
    """Whether a word of a header of RFC 5424 stands for none."""
    return end - begin == 1 and begin[0] == b"-"


cdef class Words:
    """Words as texts: one that was seen before mostly is the very same object again.

    A header names the same few again and again. An object that is there need not be made, and
    knows its hash, which all who look it up ask for. Each word has one place, by its bytes; whoever
    comes to a place that is taken by another one takes it over.
    """

    cdef list kept

    def __init__(self):
        self.kept = [None] * KEPT_WORDS

    cdef str take(self, Text begin, Text end):
        """The text of a word of ASCII."""
        cdef Py_ssize_t length = end - begin
        cdef Py_ssize_t place
        cdef unsigned int mixed = <unsigned int>length
        cdef str word
        if length > KEPT_LENGTH:
            return ascii(begin, end)
        for place in range(length):
            mixed = mixed * 31 + begin[place]
        mixed = (mixed ^ mixed >> 10) & (KEPT_WORDS - 1)
        word = <str>self.kept[mixed]
        if (
            word is not None
            and PyUnicode_GET_LENGTH(word) == length
            and memcmp(PyUnicode_DATA(word), begin, length) == 0
        ):
            return word
        word = ascii(begin, end)
        self.kept[mixed] = word
        return word

    cdef object take_or_none(self, Text begin, Text end):
        """The word of a header of RFC 5424, or None for its nil value."""
        return None if is_nil(begin, end) else self.take(begin, end)


cdef class HeaderReader:
    """Reads the frames of a batch.

    Args:
        record: the class of what it makes, with the fields of `Record`, by their places.
        priorities: (facility, severity, level) by the number of a PRI.
        bsd: `Stamps.bsd`.
        iso: `Stamps.iso`.
        guessed: what a stamp of RFC 3164 leaves to be guessed.
    """

    cdef object record, bsd, guessed
    cdef Times times
    cdef Words words
    cdef list priorities
    cdef bint is_prose  # the message that was read last
    # Of the batch that is being read.
    cdef str input, received, emitter
    cdef unsigned char bsd_stamp[STAMP]  # the last one, and what it says
    cdef str bsd_ts

    def __init__(self, record, list priorities, bsd, iso, list guessed):
        self.record = record
        self.priorities = priorities
        self.bsd = bsd
        self.times = Times(iso)
        self.words = Words()
        self.guessed = guessed

    def read(self, list frames, peers, str input, str received, str emitter):
        """Read frames.

        Args:
            frames: bytes.
            peers: the peer of all frames, one for each, or None.
            input: of the batch.
            received: likewise.
            emitter: who is named as the producer where the header names none.

        Returns:
            A record for each frame, None where it is not as usual; the places of these; and the
            places of records whose message is yet to be read by who knows its MESSAGE_HINT.
        """
        cdef list records = []
        cdef list left = []
        cdef list hinted = []
        cdef bint one = peers is None or isinstance(peers, str)
        cdef object record
        cdef object peer = peers if one else None
        cdef list each = None if one else list(peers)
        self.input, self.received, self.emitter = input, received, emitter
        self.bsd_ts = None  # what it says depends on the time of arrival
        for place, frame in enumerate(frames):
            if not one:
                peer = each[place] if place < len(each) else None
            try:
                record = self.read_one(<bytes?>frame, peer)
            except UnicodeDecodeError:
                record = None
            if record is None:
                left.append(place)
            elif not self.is_prose:
                hinted.append(place)
            records.append(record)
        return records, left, hinted

    cdef object read_one(self, bytes frame, object peer):
        cdef Text p = <Text>PyBytes_AS_STRING(frame)
        cdef Text end = p + PyBytes_GET_SIZE(frame)
        cdef int pri
        if p[0] != b"<" or (end - 1)[0] < 32:
            return None
        p += 1
        if not is_a(p[0], DIGIT) or (p[0] == b"0" and p[1] != b">"):
            return None
        pri = p[0] - 48
        p += 1
        while is_a(p[0], DIGIT):
            pri = pri * 10 + p[0] - 48
            if pri >= 192:
                return None
            p += 1
        if p[0] != b">":
            return None
        p += 1
        if is_a(p[0], UPPER):
            return self.read_bsd(p, end, pri, peer)
        if not is_a(p[0], DIGIT) or p[0] == b"0":
            return None
        if p[1] == b" ":
            return self.read_rfc5424(p + 2, end, pri, peer)
        return self.read_iso(p, end, pri, peer)

    cdef object read_bsd(self, Text p, Text end, int pri, object peer):
        """`Mmm dd hh:mm:ss HOST TAG[PID]: MSG`."""
        cdef str base
        if not is_bsd_stamp(p):
            return None
        if self.bsd_ts is None or memcmp(self.bsd_stamp, p, STAMP) != 0:
            base = self.bsd[ascii(p, p + STAMP)]
            if not base:
                return None
            memcpy(self.bsd_stamp, p, STAMP)
            self.bsd_ts = base + "Z"
        return self.behind_stamp(self.bsd_ts, p + STAMP + 1, end, pri, peer, self.guessed)

    cdef object read_iso(self, Text p, Text end, int pri, object peer):
        """`YYYY-MM-DDThh:mm:ss.ffffff+hh:mm HOST TAG[PID]: MSG`."""
        cdef Stamp stamp = read_stamp(p)
        if stamp.end == NULL or stamp.end[0] != b" ":
            return None
        ts = self.times.time_of(p, &stamp)
        return ts and self.behind_stamp(ts, stamp.end + 1, end, pri, peer, None)

    cdef object behind_stamp(
        self, str ts, Text p, Text end, int pri, object peer, object guessed
    ):
        """`HOST TAG[PID]: MSG`, with or without the host; the tag must be there."""
        cdef Text host = p
        cdef Text host_end = skip(p, HOST)
        cdef Text tag, tag_end
        cdef Text pid = NULL
        cdef Text pid_end = NULL
        if host_end == host:
            return None
        if host_end[0] == b" ":
            if not is_a((host_end - 1)[0], DIGIT | UPPER | LOWER) or may_be_no_host(host, host_end):
                return None
            tag = host_end + 1
        else:
            tag = host
            host_end = host
        tag_end = skip(tag, IDENT)
        if not 0 < tag_end - tag <= LONGEST_WORD or is_a(tag[0], DIGIT):
            return None
        if tag_end[0] == b"[":
            pid = tag_end + 1
            pid_end = skip(pid, PID)
            if not 0 < pid_end - pid <= LONGEST_WORD or pid_end[0] != b"]" or pid_end[1] != b":":
                return None
            p = pid_end + 2
        elif tag_end[0] == b":" and (tag_end[1] == b" " or tag_end + 1 == end):
            if tag == host and may_be_no_host(tag, tag_end):
                return None
            p = tag_end + 1
        else:
            return None
        p = behind_bom(p + 1 if p[0] == b" " else p)
        self.is_prose = is_prose(p)
        facility, severity, level = self.priorities[pri]
        app = self.words.take(tag, tag_end)
        return self.record(
            ts,
            level,
            utf8(p, end),
            None,
            app,
            facility,
            severity,
            None if host_end == host else self.words.take(host, host_end),
            app,
            None if pid == NULL else ascii(pid, pid_end),
            None,
            None,
            self.input,
            peer,
            self.received,
            "rfc3164",
            guessed,
        )

    cdef object read_rfc5424(self, Text p, Text end, int pri, object peer):
        """`STAMP HOST APP PROCID MSGID SD MSG`."""
        cdef Text words[4]
        cdef Text ends[4]
        cdef int number
        cdef object sd = None
        cdef Stamp stamp = read_stamp(p)
        if stamp.end == NULL or stamp.end[0] != b" ":
            return None
        ts = self.times.time_of(p, &stamp)
        if ts is None:
            return None
        p = stamp.end + 1
        for number in range(4):
            words[number] = p
            ends[number] = p = skip(p, GRAPH)
            if p == words[number] or p[0] != b" ":
                return None
            p += 1
        if p[0] == b"-":
            p += 1
        else:
            sd = {}
            p = read_structured_data(p, sd, self.words)
            if p == NULL:
                return None
        if p[0] == b" ":
            p = behind_bom(p + 1)
            self.is_prose = is_prose(p)
        elif p == end:
            self.is_prose = True
        else:
            return None
        facility, severity, level = self.priorities[pri]
        app = self.words.take_or_none(words[1], ends[1])
        return self.record(
            ts,
            level,
            utf8(p, end),
            None,
            self.emitter if app is None else app,
            facility,
            severity,
            self.words.take_or_none(words[0], ends[0]),
            app,
            None if is_nil(words[2], ends[2]) else ascii(words[2], ends[2]),  # each is another one
            self.words.take_or_none(words[3], ends[3]),
            sd,
            self.input,
            peer,
            self.received,
            "rfc5424",
        )


cdef inline bint may_be_no_host(Text begin, Text end) noexcept:
    """Whether a word behind the stamp may be a zone, a year or the start of a sentence."""
    cdef Py_ssize_t length = end - begin
    cdef Text p = begin
    if length == 4 and (memcmp(begin, "last", 4) == 0 or skip(begin, DIGIT) == end):
        return True
    if 3 <= length <= 4 and skip(begin, UPPER) == end:
        return True
    if begin[0] == b"-" or begin[0] == b"+":
        return True
    return length == 7 and memcmp(begin, "Message", 7) == 0


cdef Text read_structured_data(Text p, dict data, Words words) except? NULL:
    """Read elements without escapes and without names that are given twice; return their end."""
    cdef Text name, name_end, value
    cdef dict element
    if p[0] != b"[":
        return NULL
    while p[0] == b"[":
        name = p + 1
        p = skip(name, PARAM)
        if p == name:
            return NULL
        element = {}
        sd_id = words.take(name, p)
        if sd_id in data:
            return NULL
        data[sd_id] = element
        while p[0] == b" ":
            name = p + 1
            name_end = skip(name, PARAM)
            if name_end == name or name_end[0] != b"=" or name_end[1] != b'"':
                return NULL
            p = value = name_end + 2
            while p[0] != b'"' and p[0] != b"\\" and p[0] != 0:
                p += 1
            if p[0] != b'"':
                return NULL
            key = words.take(name, name_end)
            if key in element:
                return NULL
            element[key] = utf8(value, p)
            p += 1
        if p[0] != b"]":
            return NULL
        p += 1
    return p
