"""Mail addresses: `jan.kowalski+work@example.com` becomes `j***@example.com`.

The span that is masked is the local part and the sign behind it; the domain stays open to the
other detectors, as `joe@4.3.2.1.dialup.example` holds an address of another kind.
"""

import re

from logopsd.patterns import lazy_pattern
from logopsd.privacy.detectors.base import Detector, Find, Keep
from logopsd.privacy.detectors.triggers import trigger, triggers

_ENCODED_AT = lazy_pattern(r"%40|%2540|\\u0040")
"""The sign as URLs carry it, encoded once or twice, and as JSON may."""

_LABELS = r"(?:[\w-]{1,63}+\.){1,8}([^\W\d_]{2,24}+|xn--[a-zA-Z0-9-]{1,59}+)(?!\d|\*{3})"
_DOMAIN = lazy_pattern(_LABELS)
"""Labels and a last one that holds no digit; RFC 1035 section 2.3.4 for the length."""

_LOCAL = lazy_pattern(r"[\w.+!#$*^~'-]*")
"""A local part, read backwards. RFC 5322 allows `=`, `/`, `?`, `&`, `{`, `|`, `}` and a backtick
too, but before a mail address in a log these more often end a word that is not part of it."""

_USUAL = lazy_pattern(rf"([A-Za-z0-9_])[A-Za-z0-9_.+-]*+(@){_LABELS}")
"""A whole address of letters, digits and the most usual signs."""

_ODD_LOCAL = lazy_pattern(r"[^\s<>@\0]*<")
"""Between angle brackets, whatever stands there is the local part; read backwards."""

_QUOTED_LOCAL = lazy_pattern(r'"[^"\r\n\0]{1,64}"')

_ESCAPE = lazy_pattern(r"%[0-9A-Fa-f]{2}")

_FILES_AND_UNITS = (
    "service socket timer target mount automount slice scope device swap path "
    "gz bz2 xz zst tar tgz deb rpm jar war png jpg jpeg gif svg webp js mjs ts css "
    "xxxx json yaml yml xml html htm txt log conf cfg ini lock tmp sock pid bak exe dll"
)
NO_DOMAIN = frozenset(_FILES_AND_UNITS.split())
"""Last labels that are no domain: systemd's units, the endings of file names, a masked address.
`so`, `zip` and `map` are top-level domains, and no reason to leave an address readable."""

_VERSION = lazy_pattern(r"\d+\.\d(?!\d*\.\d+\.\d+\.[^\W\d])")
"""The domain of `package@1.2.3-beta.next`; but `4.3.2.1.dialup.example` is one."""

_SYMBOLS = frozenset(".+!#$*^~'-")
_LEADING = lazy_pattern(r"\W*")
"""What stands before the first letter, digit or underscore is no part either (`'jan@...`)."""

_ENDS_A_WORD = frozenset(["", " ", "<", "(", "[", "\t", "\n", "\0"])
"""What mostly stands before a local part, and cannot be within one."""

_BOUNCE = lazy_pattern(r"=([\w.+-]{1,64})")
"""Before a mail server's own address: `bounce+jan=example.org@lists.example.com`; backwards."""

_WINDOW = 64
"""Characters looked at first before the sign; RFC 5321 section 4.5.3.1.1 allows 64."""

_ODD_WINDOW = 256
"""Characters looked back for `<`: mailing lists put a whole second address into a local part."""


def email(keep: Keep) -> Detector:
    """Make the detector of mail addresses.

    Args:
        keep: what may stay readable.
    """

    def examine(text: str, at: int) -> Find | None:
        # Behind a blank, an address of usual signs needs no closer look: 1.1 us in place of 1.7.
        begin = text.rfind(" ", at - _WINDOW if at > _WINDOW else 0, at) + 1
        usual = _USUAL.match(text, begin) if begin and not keep.domains else None
        if usual and usual.start(2) == at:
            return _usual_find(text, begin, at, usual)
        if text[at] == "@":
            sign = "@"
        else:
            encoded = _ENCODED_AT.match(text, at)
            if not encoded:
                return None
            sign = encoded[0]
        end = at + len(sign)
        domain = _DOMAIN.match(text, end)
        if not domain or domain[1].lower() in NO_DOMAIN:
            return None
        if text[end].isdigit() and _VERSION.match(text, end):
            return None
        if keep.domains and keep.domain(domain[0]):
            return None
        begin = _begin_of_local(text, at)
        first = text[begin]
        if not first.isalnum() and first != "_":
            first = next((char for char in text[begin:at] if char.isalnum()), "")
            if not first:
                return None
        if text[begin + 1] in "*i" and text[begin:end] in (f"{first}***{sign}", "git@"):
            return None  # masked before, or no person
        return begin, end, f"{first}***{sign}"

    return Detector(
        "email",
        triggers(trigger(b"@", usual="" if keep.domains else "mail"), b"%00", rb"\\u0000"),
        examine,
    )


def _usual_find(text: str, begin: int, at: int, usual: re.Match[str]) -> Find | None:
    """Say what to mask of an address that only its domain can keep from being one."""
    first, _, last_label = usual.groups()
    end = at + 1
    if last_label.lower() in NO_DOMAIN or text.startswith("git@", begin):
        return None
    if text[end].isdigit() and _VERSION.match(text, end):
        return None
    return begin, end, first + "***@"


def _begin_of_local(text: str, at: int) -> int:
    """Find where the local part before `at` begins; `at` itself where there is none.

    The text is read backwards in slices that double. No local part holds an `@`, so that all
    addresses of a text together cost what one pass over it does.
    """
    if not at:
        return 0
    window = _WINDOW
    while True:
        back = text[at - 1 : at - 1 - window if at > window else None : -1]
        length = _LOCAL.match(back).end()  # type: ignore[union-attr]  # it matches nothing, too
        if length < window:
            break
        window *= 2
    begin = at - length
    before = back[length : length + 1]
    if before in _ENDS_A_WORD:  # the usual case
        pass
    elif before == '"' and not length:
        quoted = _QUOTED_LOCAL.match(back)
        return at - quoted.end() if quoted else at
    elif before == "%" and _ESCAPE.match(text, begin - 1, at):
        begin += 2  # of `to%3Djan@example.com` the `3D` is no part
    else:
        back = text[max(begin - _ODD_WINDOW, 0) : begin][::-1]
        odd = _ODD_LOCAL.match(back)
        if odd:
            return begin - odd.end() + 1
        bounce = _BOUNCE.match(back)
        if bounce and "bounce" in bounce[1][::-1].lower():
            begin -= bounce.end()
    if text[begin] in _SYMBOLS:
        begin = _LEADING.match(text, begin, at).end()  # type: ignore[union-attr]
    return begin
