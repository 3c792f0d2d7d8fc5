"""Secrets by the word before them: `password=...`, `"api_key": "..."`, `--token ...`.

The value is hidden, the word stays. Prose is not: `Password reset sent`, `token: expired`,
`password=missing`, `max_tokens=512`.
"""

import re

from logopsd.patterns import lazy_pattern, possessive
from logopsd.privacy.detectors.base import Detector, Find
from logopsd.privacy.detectors.secrets import DASHES, MASK, MASKED
from logopsd.privacy.detectors.triggers import Trigger, trigger, triggers

_IS = rb"(?:\\?[\"'])?\]? {0,2}(?:[=:]|%0[da])"
"""What stands between the word and its value, in folded text: `=`, `":`, `%3D`, `%3A`."""

_IS_BEGUN = (rb"[\\\"'\]=:%]", b" [ =:%]")
"""What that may begin with."""


def _named(pattern: bytes, *words: bytes) -> Trigger:
    """Make the trigger of a word before a value."""
    return trigger(pattern + _IS, *(word + begun for word in words for begun in _IS_BEGUN))


_SEPARATOR = lazy_pattern(
    r"""([a-z_-]*+)(?:\\?["'])?\]?[ ]{0,2}(?:=>|:=|[=:]|%3d|%3a)
    ([ \t]{0,2}(?:(?:bearer|basic|token)[ ])?)(\\?["'])?""",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
"""The word, what stands before the value, and its opening quote."""

_TO_QUOTE = {
    '"': lazy_pattern(possessive(r'(?:[^"\\\0]|\\[^\0])', "*") + '(?=")'),
    "'": lazy_pattern(possessive(r"(?:[^'\\\0]|\\[^\0])", "*") + "(?=')"),
    '\\"': lazy_pattern(
        possessive(r'(?:[^\\\0]|\\\\(?:\\["\\]|[^\\\0])?|\\[^"\\\0])', "*") + r'(?=\\")'
    ),
    "\\'": lazy_pattern(
        possessive(r"(?:[^\\\0]|\\\\(?:\\['\\]|[^\\\0])?|\\[^'\\\0])", "*") + r"(?=\\')"
    ),
}
"""A value in quotes, to the quote that ends it and is not escaped itself."""

_BARE = lazy_pattern(possessive(r"""(?:[^\s"'&;,\0]|[&;,](?![\s\0"']|\Z|[\w.-]{1,64}[=:]))""", "+"))
"""A value without quotes: to white space, a quote, or a separator that ends it."""

_STATE = (
    r"(?:true|false|yes|no|on|off|null|nil|none|undefined|missing|required|empty|expired|invalid|"
    r"valid|unset|set|not|is|was|has|reset|changed|updated|failed|rejected|accepted|denied|ok|error|"
    r"unknown|incorrect|wrong|redacted|filtered|removed|hidden|masked|authentication|auth|publickey|"
    r"keyboard-interactive)"
)

_STAND_IN = (
    rf"(?:{_STATE}(?>(?:[ _-]{_STATE}){{0,3}})|\({_STATE}\)|[xX]{{3,64}}|\*{{3,64}}"
    r"|\$\{[^}\s\0]{0,64}\}|\$\([\w ./-]{0,64}\)|\$(?:[0-9]|(?-i:[A-Z_][A-Z0-9_]{0,64}))"
    r"|%[sdvqr]|%\([a-z_]{1,40}\)s|%\{[\w:.-]{0,64}\}|%[a-z_]{1,40}%"
    r"|\{{1,2} ?[a-z_.-]{0,40} ?\}{1,2}|<[a-z_ .-]{0,40}>|\[[a-z_ .*-]{0,40}\]|[\[{(<]{1,4}"
    r"|[\[{(][a-z_]{1,40}[:=])"
)
"""What stands where a secret would: a variable, a state, a boolean, what another tool masked."""

_ENDS: dict[str | None, str] = {
    None: r"""(?=[)\]}>.!?:]{0,3}(?:[\s"'\0]|\\["'nrt]|\Z"""
    r"""|[&;,](?:[\s\0"']|\Z|[\w.-]{1,64}[=:])))""",
    **{quote: re.escape(quote) for quote in _TO_QUOTE},
}
"""What stands behind such a stand-in, by the quote it is in."""


_PLACEHOLDER = {quote: lazy_pattern(_STAND_IN + end, re.IGNORECASE) for quote, end in _ENDS.items()}
"""A value that is nothing but a stand-in, by the quote it is in. `not set` is one, but neither
`not-so-secret1` nor `$ecretPassw0rd`. Each is bounded, as a value that stays is read again."""

_QUALIFIED = ("api", "access", "secret", "private", "auth", "account", "encryption", "signing")
"""The words that make a key secret; `primary key: 5` holds none."""

_NO_PASS = ("by", "com", "tres", "sur", "under", "over")
"""`bypass=`, `compass=`: words that end in `pass` and open nothing."""

_NEXT_WORD = lazy_pattern(
    r"""[,;.]?[ ](?:[^\W\d_]{1,40}+(?![\w.-]{0,40}["']?[=:])|\*)""", re.VERBOSE
)
"""Another word, as in a sentence; but not the next name of `user: jan, password: x, host: y`."""

_SHORTEST = {"ken": 3, "sig": 16, "signature": 16}
"""Characters that a value needs at least, where it is not one: `near token: }`."""

_OPTION = lazy_pattern(r"--([\w-]{1,52}+) (?!-|/)([^\s\0\"']++)")
"""The command line: `--db-password hunter2`."""

_OPTION_WORD = lazy_pattern(
    r"(?:^|[_-])(?:pass(?:word|wd|phrase)?|pwd|token|secret|(?:api|access|secret)-?key)\Z"
)


def _assignment(text: str, at: int) -> Find | None:
    match = _SEPARATOR.match(text, at)
    if not match:
        return None
    word, before, quote = match.group(1).lower(), match.group(2), match.group(3)
    begin = match.end()
    # All that can be told before the value is read is asked first: a value may be long, and only
    # one that is claimed is never read again.
    if not _names_a_secret(text, at, word, begin) or _is_placeholder(text, begin, quote):
        return None
    value = _TO_QUOTE[quote].match(text, begin) if quote else None
    if value:
        secret = value[0]
    else:  # no quotes, or a message that was cut before the second
        value = _BARE.match(text, begin)
        secret = value[0].rstrip(")]}>.,;\\") if value else ""
        if before and not quote and secret.isalpha() and _goes_on(text, begin + len(secret)):
            return None  # prose: `Password: please choose another`
    if len(secret) < _SHORTEST.get(word, 1) or (
        word in ("ken", "pass", "session_id", "sessionid", "session-id") and _is_count(word, secret)
    ):
        return None
    return begin, begin + len(secret), MASK


def _is_placeholder(text: str, begin: int, quote: str | None) -> bool:
    return bool(_PLACEHOLDER[quote].match(text, begin) or MASKED.match(text, begin))


def _names_a_secret(text: str, at: int, word: str, begin: int) -> bool:
    """Say whether a word announces a secret, by what stands before it and how the value begins."""
    if word == "pwd":
        return text[begin : begin + 1] != "/"  # the directory a command was run in
    if word not in ("ken", "key", "pass", "sig", "signature"):
        return True
    before = text[max(at - 16, 0) : at].lower()
    if word == "sig":  # of Azure's URLs
        return before.endswith(("?", "&", " ", "&amp;"))
    if word == "signature":
        return before.endswith("x-amz-")
    if word == "ken":
        return before.endswith("to") and not before.endswith("unexpected to")
    if word == "pass":
        return not before.endswith(_NO_PASS)
    if text.startswith("AIza", begin):  # Google's keys stand in `key=`
        return True
    return before.rstrip("_- ").endswith(_QUALIFIED) and text[begin : begin + 1] != "/"


def _is_count(word: str, value: str) -> bool:
    """Say whether a value is a small number: `max_token=512`, `pass=12`."""
    return value.isdigit() and len(value) < (4 if word == "pass" else 8)


def _goes_on(text: str, at: int) -> bool:
    """Say whether another word follows, as it does in a sentence."""
    return _NEXT_WORD.match(text, at) is not None


def _option(text: str, at: int) -> Find | None:
    match = _OPTION.match(text, at) if text[at + 1] == "-" else None
    if not match or not _OPTION_WORD.search(match[1]):
        return None
    if _is_placeholder(text, match.start(2), None):
        return None
    return match.start(2), match.end(2), MASK


ASSIGNMENT = Detector(
    "secret",
    triggers(
        _named(
            rb"p(?:ass(?:word|wd|phrase|code)?|wd)",
            *(b"pass", b"password", b"passwd", b"passphrase", b"passcode", b"pwd"),
        ),
        trigger(rb"secret(?:[_-]?(?:access[_-]?)?key)?" + _IS, b"secret"),
        _named(rb"ke[yn]", rb"ke[yn]"),
        trigger(rb"session[_-]?id" + _IS, rb"session[_i-]"),
        _named(rb"sig(?:nature)?", b"sig", b"signature"),
    ),
    _assignment,
)
OPTION = Detector("secret", DASHES, _option)
