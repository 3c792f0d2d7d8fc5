# cython: language_level=3, boundscheck=False, wraparound=False
"""Tells of many texts, in one pass over each, in which there is surely nothing to hide.

The detectors' triggers say where to look closer. Each has heads: short shapes, one of which stands
wherever it matches. A text without heads is clean. Where a head stands, its trigger is asked, and
where that matches, its detectors; a text in which they find nothing is clean as well.

Two finds are so frequent and mostly so plain that they are made here: of mail and IPv4 addresses
with nothing unusual around them, as `detectors.email` and `detectors.ip` have it in `_USUAL`. What
is left, and any text of which this is not sure, is for the masker.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.string cimport memcmp, memcpy, memset

from logopsd.compiled.text cimport (
    PyUnicode_DATA,
    PyUnicode_GET_LENGTH,
    PyUnicode_IS_COMPACT_ASCII,
    Text,
)

cdef extern from "Python.h":
    object PyUnicode_New(Py_ssize_t size, Py_UCS4 maxchar)

cdef enum:
    LONGEST_HEAD = 24
    MOST_HEADS = 127
    MOST_SETS = 64
    MOST_FINDS = 32  # of a text; with more it is left to the masker
    LONGEST_LOCAL = 63  # before the sign of a mail address
    LONGEST_LABEL = 63

    CLEAN = 0
    FOUND = 1
    DOUBTFUL = 2

    # What asks closer where a head stands.
    MAIL = -1
    IPV4 = -2
    NOBODY = -3  # the head alone makes a text doubtful

cdef enum:
    LETTER = 1
    DIGIT = 2
    LOCAL = 4  # of the local part of a usual mail address
    JOINS = 8  # beside numbers with dots it makes them something else than an address, or may
    OPENS = 16  # behind a letter, what mostly stands before an address
    BETWEEN = 32  # what may stand between a word and the version it announces

cdef unsigned char KIND[256]
cdef unsigned char FOLD[256]


cdef void fill() noexcept:
    cdef int c
    cdef unsigned char kind
    for c in range(256):
        kind = 0
        FOLD[c] = c
        if 48 <= c <= 57:
            kind |= DIGIT | LOCAL
            FOLD[c] = 48
        elif 65 <= c <= 90 or 97 <= c <= 122:
            kind |= LETTER | LOCAL
            FOLD[c] = c | 32
        elif c >= 128:
            FOLD[c] = 63
        if c in b"_.+-":
            kind |= LOCAL
        if kind & (LETTER | DIGIT) or c in b"*.-_+~":
            kind |= JOINS
        if c in b" =([<":
            kind |= OPENS
        if c in b" \"':=([":
            kind |= BETWEEN
        KIND[c] = kind


fill()


cdef inline bint is_a(unsigned char c, unsigned char kind) noexcept:
    return KIND[c] & kind != 0


cdef struct Head:
    signed char asks  # the number of its trigger, or what else asks closer
    signed char length
    signed char before  # 0: anything; 1: one of `around`; 2: none of them
    unsigned char around
    unsigned char shape[LONGEST_HEAD]  # sets, by their numbers


cdef struct Find:
    Py_ssize_t begin
    Py_ssize_t end
    int kept  # bytes of it that are kept before the mask
    bint mail


cdef class Sieve:
    """Sifts texts; one thread at a time, and not from within a detector.

    Args:
        triggers: patterns over folded texts, and the detectors' functions to be asked where they
            match.
        heads: (number of the trigger or MAIL, IPV4, NOBODY; what stands before; whether that must
            not; sets of bytes), all folded.
        no_domain: last labels in lower case that make a mail address none.
        fold: folds a text.
    """

    cdef list matchers, examiners
    cdef object no_domain, fold
    cdef Head heads[MOST_HEADS]
    cdef unsigned long long sets[256]  # for each folded byte, a bit for each set that holds it
    cdef unsigned char pairs[8192]  # a bit for each two bytes in which a head may begin
    cdef int first[257]  # heads by their first folded byte: from here to the next one's
    cdef unsigned char order[2048]
    # Of the text that is looked at.
    cdef str text
    cdef object folded
    cdef Find finds[MOST_FINDS]
    cdef int found
    cdef Py_ssize_t next_ipv4
    cdef bint busy

    def __cinit__(self, list triggers, list heads, no_domain, fold):
        cdef int number, place, c, d, filled
        cdef Head* head
        cdef dict numbers = {}
        if len(heads) > MOST_HEADS:
            raise ValueError("too many heads")
        self.matchers = [pattern.match for pattern, _ in triggers]
        self.examiners = [tuple(examiners) for _, examiners in triggers]
        self.no_domain = no_domain
        self.fold = fold
        memset(self.pairs, 0, sizeof(self.pairs))
        memset(self.sets, 0, sizeof(self.sets))
        for number, (asks, around, negative, shape) in enumerate(heads):
            if not 0 < len(shape) <= LONGEST_HEAD:
                raise ValueError("a head is empty or too long")
            head = &self.heads[number]
            head.asks, head.length = asks, len(shape)
            head.before = 0 if not around else 2 if negative else 1
            head.around = self.set_of(around, numbers)
            for place in range(head.length):
                head.shape[place] = self.set_of(shape[place], numbers)
        filled = 0
        for c in range(256):
            self.first[c] = filled
            for number in range(len(heads)):
                if self.holds(self.heads[number].shape[0], c):
                    if filled >= <int>sizeof(self.order):
                        raise ValueError("too many heads")
                    self.order[filled] = number
                    filled += 1
        self.first[256] = filled
        for c in range(256):
            for d in range(256):
                if self.may_begin(FOLD[c], FOLD[d]):
                    self.pairs[(c << 8 | d) >> 3] |= 1 << (d & 7)

    cdef int set_of(self, bytes members, dict numbers) except -1:
        """Give the number of a set."""
        cdef unsigned char c
        cdef int number
        if members not in numbers:
            if len(numbers) == MOST_SETS:
                raise ValueError("too many sets")
            number = numbers[members] = len(numbers)
            for c in members:
                self.sets[c] |= 1ULL << number
        return numbers[members]

    cdef inline bint holds(self, unsigned char number, unsigned char c) noexcept:
        return self.sets[c] >> number & 1

    cdef bint may_begin(self, unsigned char c, unsigned char d) noexcept:
        cdef int place
        cdef Head* head
        for place in range(self.first[c], self.first[c + 1]):
            head = &self.heads[self.order[place]]
            if head.length == 1 or self.holds(head.shape[1], d):
                return True
        return False

    def sift(self, list texts):
        """Sift texts.

        Returns:
            Place -> text, of those that are masked; how many mail and how many IPv4 addresses in
            these; and the places of those that are left to the masker.

        Raises:
            RuntimeError: it is sifting already.
        """
        if self.busy:
            raise RuntimeError("the sieve is in use")
        self.busy = True
        try:
            return self.sift_all(texts)
        finally:
            self.busy = False
            self.text = self.folded = None  # nothing personal stays behind

    cdef tuple sift_all(self, list texts):
        cdef dict changed = {}
        cdef list left = []
        cdef int verdict, number, of_mail, all_found
        cdef Py_ssize_t mails = 0, addresses = 0
        for place, text in enumerate(texts):
            verdict = self.look(<str?>text)
            if verdict == FOUND:
                masked, sure = self.masked(text)
                all_found, of_mail = self.found, 0
                for number in range(all_found):
                    of_mail += self.finds[number].mail
                if sure or self.look(masked) == CLEAN:
                    changed[place] = masked
                    mails += of_mail
                    addresses += all_found - of_mail
                    continue
            if verdict != CLEAN:
                left.append(place)
        return changed, mails, addresses, left

    cdef int look(self, str text) except -1:
        """Go over a text once; say whether it is clean, doubtful, or holds the finds noted."""
        cdef bint ascii = PyUnicode_IS_COMPACT_ASCII(text)
        cdef bytes folded  # held here while `p` points into it
        cdef Text p
        cdef Py_ssize_t size, at
        self.found = 0
        self.next_ipv4 = 0
        self.text = text
        if ascii:
            self.folded = None
            p = <Text>PyUnicode_DATA(text)
            size = PyUnicode_GET_LENGTH(text)
        else:
            self.folded = folded = self.fold(text)
            p = <Text>PyBytes_AS_STRING(folded)
            size = PyBytes_GET_SIZE(folded)
        for at in range(size):
            if not self.pairs[(p[at] << 8 | p[at + 1]) >> 3] >> (p[at + 1] & 7) & 1:
                continue
            if self.is_doubtful(p, at, ascii):
                return DOUBTFUL
        return FOUND if self.found else CLEAN

    cdef bint is_doubtful(self, Text p, Py_ssize_t at, bint ascii) except -1:
        """Ask closer where a head may stand."""
        cdef unsigned char c = FOLD[p[at]]
        cdef int place, asks
        cdef Head* head
        for place in range(self.first[c], self.first[c + 1]):
            head = &self.heads[self.order[place]]
            if not self.stands(head, p, at):
                continue
            asks = head.asks
            if asks >= 0:
                if self.folded is None:
                    self.folded = self.fold(self.text)
                if self.matchers[asks](self.folded, at) is not None:
                    for examine in <tuple>self.examiners[asks]:
                        if examine(self.text, at) is not None:
                            return True
            elif not ascii or asks == NOBODY:
                return True
            elif asks == MAIL:
                if not self.find_mail(p, at):
                    return True
            elif not self.find_ipv4(p, at):
                return True
        return False

    cdef inline bint stands(self, const Head* head, Text p, Py_ssize_t at) noexcept:
        """Say whether a head stands at `at`; no set holds NUL but one that stands alone."""
        cdef int place
        for place in range(1, head.length):
            if not self.holds(head.shape[place], FOLD[p[at + place]]):
                return False
        if head.before == 0:
            return True
        if at == 0:
            return head.before == 2
        return self.holds(head.around, FOLD[p[at - 1]]) == (head.before == 1)

    cdef bint find_mail(self, Text p, Py_ssize_t at) except -1:
        """Decide on the sign at `at` as `detectors.email` does; False for a closer look."""
        cdef Py_ssize_t begin = at
        cdef Py_ssize_t end, label, place
        cdef int labels = 0
        if is_masked_mail(p, at):
            return True
        while begin > 0 and at - begin < LONGEST_LOCAL and is_a(p[begin - 1], LOCAL):
            begin -= 1
        if begin < 2 or begin == at or p[begin - 1] != b" ":
            return False
        if not (is_a(p[begin], LETTER | DIGIT) or p[begin] == b"_"):
            return False
        label = end = at + 1
        if not is_a(p[end], LETTER):
            return False
        while is_a(p[end], LETTER | DIGIT) or p[end] == b"-" or p[end] == b".":
            if p[end] == b".":
                if end == label or end - label > LONGEST_LABEL:
                    return False
                label = end + 1
                labels += 1
            end += 1
        if not 1 <= labels <= 8 or not 2 <= end - label <= 24 or p[end] == b"_" or p[end] == b"*":
            return False
        for place in range(label, end):
            if not is_a(p[place], LETTER):
                return False
        if at - begin == 3 and memcmp(p + begin, b"git", 3) == 0:
            return True
        if self.text[label:end].lower() in self.no_domain:
            return True
        return self.add(begin, at + 1, 1, True)

    cdef bint find_ipv4(self, Text p, Py_ssize_t at) noexcept:
        """Decide on the first dot of an IPv4 address as `detectors.ip` does; likewise."""
        cdef Py_ssize_t begin = at
        cdef Py_ssize_t begins[5]
        cdef int number
        if at < self.next_ipv4 or not is_trigger(p, at):
            return True
        while begin > 0 and at - begin < 4 and is_a(p[begin - 1], DIGIT):
            begin -= 1
        if not 1 <= at - begin <= 3 or (at - begin == 1 and p[begin] in b"12"):
            return False  # of these, some are arcs of object identifiers
        begins[0], begins[1] = begin, at + 1
        for number in range(1, 4):
            begins[number + 1] = begins[number]
            while is_a(p[begins[number + 1]], DIGIT):
                begins[number + 1] += 1
            if begins[number + 1] - begins[number] > 3:
                return False
            begins[number + 1] += 1
        if is_a(p[begins[4] - 1], JOINS) or (begin > 0 and is_a(p[begin - 1], JOINS)):
            return False
        if may_be_announced(p, begin) or (begin > 0 and p[begin - 1] == b"/"):
            return False
        self.next_ipv4 = begins[3] + 1  # the trigger's match ends here
        if is_nobodys(p, begins):
            return True
        self.next_ipv4 = begins[4] - 1
        return self.add(begin, begins[4] - 1, begins[2] - 1 - begin, False)

    cdef bint add(self, Py_ssize_t begin, Py_ssize_t end, Py_ssize_t kept, bint mail) noexcept:
        cdef Find* find
        if self.found == MOST_FINDS or (self.found and self.finds[self.found - 1].end > begin):
            return False
        find = &self.finds[self.found]
        find.begin, find.end, find.kept, find.mail = begin, end, kept, mail
        self.found += 1
        return True

    cdef tuple masked(self, str text):
        """Return a text with its finds masked, and whether each of them stands alone."""
        cdef Text p = <Text>PyUnicode_DATA(text)
        cdef Py_ssize_t size = PyUnicode_GET_LENGTH(text)
        cdef Py_ssize_t length = size
        cdef Py_ssize_t done = 0
        cdef bint sure = True
        cdef int number
        cdef Find* find
        cdef str made
        cdef unsigned char* out
        for number in range(self.found):
            find = &self.finds[number]
            length += find.kept + 4 - (find.end - find.begin)
            sure = sure and stands_alone(p, find)
        made = PyUnicode_New(length, 127)
        out = <unsigned char*>PyUnicode_DATA(made)
        for number in range(self.found):
            find = &self.finds[number]
            memcpy(out, p + done, find.begin + find.kept - done)
            out += find.begin + find.kept - done
            memcpy(out, <const char*>"***@" if find.mail else <const char*>".x.x", 4)
            out += 4
            done = find.end
        memcpy(out, p + done, size - done)
        return made, sure


cdef inline bint is_trigger(Text p, Py_ssize_t at) noexcept:
    r"""`\.0{1,3}\.0{1,3}\.0`."""
    cdef int number, digits
    for number in range(2):
        at += 1
        digits = 0
        while digits < 3 and is_a(p[at], DIGIT):
            at += 1
            digits += 1
        if digits == 0 or p[at] != b".":
            return False
    return is_a(p[at + 1], DIGIT)


cdef inline bint is_masked_mail(Text p, Py_ssize_t at) noexcept:
    """Say whether `j***` stands before the sign, behind a blank."""
    return (
        at >= 5
        and memcmp(p + at - 3, b"***", 3) == 0
        and is_a(p[at - 4], LETTER | DIGIT)
        and p[at - 5] == b" "
    )


cdef inline bint is_nobodys(Text p, const Py_ssize_t* begins) noexcept:
    """Say whether numbers are over 255, or of loopback, of a netmask or unspecified."""
    cdef Py_ssize_t place
    cdef int number, value, first = 0
    for number in range(4):
        value = 0
        for place in range(begins[number], begins[number + 1] - 1):
            value = value * 10 + p[place] - 48
        if value > 255:
            return True
        if number == 0:
            first = value
    return first == 0 or first == 127 or first == 255


cdef inline bint may_be_announced(Text p, Py_ssize_t begin) noexcept:
    """Say whether the word before may be one of `_VERSION_WORDS`, by how it ends."""
    cdef Py_ssize_t end = begin
    cdef unsigned char b, c, d
    while end > 0 and is_a(p[end - 1], BETWEEN):
        end -= 1
        if begin - end >= 20:  # the detector looks no further
            return True
    if end < 2:
        return False
    b = FOLD[p[end - 3]] if end > 2 else b" "
    c, d = FOLD[p[end - 2]], FOLD[p[end - 1]]
    if d == b"e":
        return c in b"rsd" and b == b"a"  # firmware, release, upgrade
    if d == b"n":
        return c == b"o" and b == b"i"  # version, revision
    if d == b"r" or d == b"v" or d == b"l":
        return c == b"e" and b in b"vrn"  # ver, rev, kernel
    if d == b"d":
        return c == b"l" and b == b"i" or c == b"i" and b == b"o"  # build, oid
    return d == b"w" and c == b"f"


cdef inline bint stands_alone(Text p, const Find* find) noexcept:
    """As `masking._unsure` has it: no mask joins what is around it to something new."""
    cdef Text behind = p + find.end
    cdef Text before = p + find.begin
    if find.begin < 2 or not is_a((before - 2)[0], LETTER) or not is_a((before - 1)[0], OPENS):
        return False
    if find.mail or behind[0] == 0:
        return True
    if behind[0] == b" ":
        return is_a(behind[1], LETTER)
    return behind[0] in b"])>," and (behind[1] == b" " or behind[1] == 0)
