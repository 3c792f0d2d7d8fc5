"""What opens doors: passwords in URLs, JSON web tokens, credentials of HTTP, keys by their prefix.

`password=...` and its kind stand in `assignments`. None of these runs across white space, as a
secret that is made up of the words of two fields hides what an operator needs to see.
"""

import re

from logopsd.patterns import lazy_pattern, possessive
from logopsd.privacy.detectors.base import Detector, Find
from logopsd.privacy.detectors.triggers import trigger, triggers

MASK = "***"

MASKED = lazy_pattern(r"(?:[\w-]{4}|eyJ|-----)?\*{3}(?!\w)")
"""A secret that was masked before, whichever kind it was."""

_PASSWORD = lazy_pattern(
    r"""://([^\s:/?\#"'<>\0]{0,256}+):(?![0-9]{1,5}+(?![^\s/?\#"'<>,;)\]}\0]))
    (?:([^\s/?\#"'<>\0]{0,256})|([^\s"'<>@\0]{0,256}+))@(?=[\w\[%])""",
    re.VERBOSE,
)
"""`://user:password@host`, not `://host:port/`. The password ends at the last `@` before a slash,
question mark or hash; where one of these stands before the first `@`, it belongs to the password.
A URL is rarely longer than the bounds, and without them a page of colons costs its square."""

_TOKEN_AS_USER = lazy_pattern(r"://(?=[a-zA-Z_-]*[0-9])([\w-]{20,256}+)@(?=\w)", re.ASCII)
"""`https://ghp_...@github.com`: one long word with a digit is a token and not a name."""

_JWT = lazy_pattern(
    r"""(?:(?<![A-Za-z0-9_*-])|(?<=%[0-9A-Fa-f]{2}))
    eyJ[A-Za-z0-9_-]{5,}+\.(?:eyJ[A-Za-z0-9_-]*+(?:\.[A-Za-z0-9_-]*+)?
    |[A-Za-z0-9_-]*+(?>(?:\.[A-Za-z0-9_-]++){1,3}))""",
    re.VERBOSE,
)
"""RFC 7515 and 7516: two to five parts; each begins where no part before may reach into it."""

_SCHEMES = (
    "bearer|basic|digest|negotiate|ntlm|token|apikey|aws4-hmac-sha256|hoba|mutual|scram-sha-256"
)

_AUTHORIZATION = lazy_pattern(
    rf"""authorization(?:\\?["'])?[ ]{{0,2}}(?:=>?|:|%3a|%3d)(?:[ +]|%20){{0,2}}(?:\\?["'])?
    (?:((?:{_SCHEMES})(?:[ +]|%20){{1,2}})([^\s"'\\<>\0]++)|([^\s"'\\<>,;\0]{{8,}}+))""",
    re.VERBOSE | re.IGNORECASE,
)
"""RFC 9110 section 11.6.2, as headers, JSON and query strings show it."""

_BEARER = lazy_pattern(r"(?:bearer)(?:[ +:=]|%20){1,2}([A-Za-z0-9._~+/=-]{16,}+)", re.IGNORECASE)
_BASIC = lazy_pattern(r"basic(?:[ +]|%20)([A-Za-z0-9+/]{8,}+={0,2})", re.IGNORECASE)

_PREFIXES = {
    **dict.fromkeys(["AKIA", "ASIA"], lazy_pattern(r"[0-9A-Z]{16}(?![0-9A-Za-z])")),  # AWS
    **dict.fromkeys(
        ["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "npm_", "hf_"],  # GitHub, npm, Hugging Face
        lazy_pattern(r"[A-Za-z0-9]{20,}+"),
    ),
    "github_pat_": lazy_pattern(r"[A-Za-z0-9_]{22,}+"),
    **dict.fromkeys(
        ["sk_live_", "rk_live_", "sk_test_", "rk_test_"],
        lazy_pattern(r"[A-Za-z0-9]{16,}+"),  # Stripe
    ),
    **dict.fromkeys(["glpat-", "sk-"], lazy_pattern(r"[A-Za-z0-9_-]{20,}+")),  # GitLab, OpenAI
    **dict.fromkeys(
        ["xoxa-", "xoxb-", "xoxe-", "xoxo-", "xoxp-", "xoxr-", "xoxs-"],  # Slack
        lazy_pattern(r"[A-Za-z0-9-]{10,}+"),
    ),
}
"""Keys that their makers mark by a prefix, so that they are found; and what must follow it."""

_WORDLIKE = lazy_pattern(r"[A-Za-z0-9*]")

_ALL_PREFIXES = tuple(_PREFIXES)
_LONGEST_PREFIX = max(map(len, _ALL_PREFIXES))

_KEY_BODY = r"(?:(?<=[n\n])[A-Za-z-]{1,24}: [^\n\\\0]{0,128}|[A-Za-z0-9+/=\s]|\\[nr])"

_PRIVATE_KEY = lazy_pattern(
    r"-----(BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"
    + possessive(_KEY_BODY, "*")
    + r"(?:-----END (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?)?)"
)
"""RFC 7468, with line feeds as they are or as JSON writes them; a cut block has no end."""


_COOKIE = lazy_pattern(
    r"""cookie(?:\\?["'])?[ ]{0,2}(?::|=>|%3a)[ ]{0,2}(?:\\?["'])?
    ([\w.!$&*+^|~-]{1,64}+=[^\s"'\\;\0]*+"""
    + possessive(r"""(?:;[ ]?[\w.!$&*+^|~-]{1,64}+(?:=[^\s"'\\;\0]*+)?)""", "*")
    + ")",
    re.VERBOSE | re.IGNORECASE,
)
"""RFC 6265 section 4: `Cookie: sid=1; theme=x`, with what `Set-Cookie` says of it."""

_ELEMENT = lazy_pattern(r"[a-z]+>([^<>\s\0][^<>\0]{0,255}+)</", re.IGNORECASE)
"""`<password>...</password>`."""

_TAG_WINDOW = 40
"""Characters read back for where the tag begins: `<ns:dbPassword>`."""


def _cookie(text: str, at: int) -> Find | None:
    match = _COOKIE.match(text, at)
    return (match.start(1), match.end(1), MASK) if match else None


def _element(text: str, at: int) -> Find | None:
    match = _ELEMENT.match(text, at)
    tag = text.rfind("<", max(at - _TAG_WINDOW, 0), at)
    if not match or tag < 0 or text[tag + 1] == "/" or match[1] == MASK:
        return None
    return match.start(1), match.end(1), MASK


def _url_password(text: str, at: int) -> Find | None:
    match = _PASSWORD.match(text, at)
    if not match:
        match = _TOKEN_AS_USER.match(text, at)
        return (match.start(1), match.end(1), MASK) if match else None
    group = 2 if match[2] is not None else 3
    if not match[group]:
        group = 1  # `https://token:@host`: what stands for the user is the secret
    if match[group] in (MASK, ""):
        return None
    return match.start(group), match.end(group), MASK


def _jwt(text: str, at: int) -> Find | None:
    match = _JWT.match(text, at - 2)
    return (at - 2, match.end(), "eyJ***") if match else None


def _authorization(text: str, at: int) -> Find | None:
    match = _AUTHORIZATION.match(text, at - len("authori")) if at >= len("authori") else None
    if not match:
        return None
    group = 2 if match[2] is not None else 3
    if MASKED.match(match[group]) or (group == 3 and match[3].isalpha()):
        return None  # masked before, or prose: `authorization: required`
    return match.start(group), match.end(group), MASK


def _scheme(text: str, at: int) -> Find | None:
    match = _BEARER.match(text, at) or _BASIC.match(text, at)
    if not match or not any(char.isdigit() or char.isupper() for char in match[1]):
        return None  # prose: `basic authentication`
    return match.start(1), match.end(1), MASK


def _prefixed(text: str, at: int) -> Find | None:
    # The trigger begins at the last character of a prefix, or at the third of AWS's.
    end = at + 2 if text[at] in "Ii" else at + 1
    before = text[max(end - _LONGEST_PREFIX, 0) : end]
    if not before.endswith(_ALL_PREFIXES):
        return None
    prefix = next(prefix for prefix in _ALL_PREFIXES if before.endswith(prefix))
    rest = _PREFIXES[prefix].match(text, end)
    begin = end - len(prefix)
    if not rest or _WORDLIKE.match(text, begin - 1, begin):
        return None
    return begin, rest.end(), prefix[:4] + MASK


def _private_key(text: str, at: int) -> Find | None:
    match = _PRIVATE_KEY.match(text, at)
    return (match.start(1), match.end(1), MASK) if match else None


DASHES = triggers(
    trigger(
        rb"-(?=[0a-z][0a-z_-]{9}|-[a-z]|----begin )",
        *(rb"-[0a-z][0a-z_-]{9}", rb"--[a-z]", rb"-----begin "),
    )
)
"""The dash in a prefix, before an option, and before a key's block: searched for once for all."""

PRIVATE_KEY = Detector("secret", DASHES, _private_key)
URL_PASSWORD = Detector("secret", triggers(rb"://"), _url_password)
JWT = Detector("jwt", triggers(trigger(rb"j(?<=eyj)", rb"(?<=y)j")), _jwt)
AUTHORIZATION = Detector("secret", triggers(trigger(rb"z(?=ation)", rb"zation")), _authorization)
COOKIE = Detector("secret", triggers(rb"cookie"), _cookie)
ELEMENT = Detector(
    "secret",
    triggers(
        trigger(rb"pass(?:word|wd|phrase)?>", *(b"pass>", b"password>", b"passwd>", b"passphrase>"))
    ),
    _element,
)
SCHEME = Detector(
    "secret", triggers(trigger(rb"b(?:earer|asic[ +%])", b"bearer", b"basic[ +%]")), _scheme
)
PREFIXED = Detector(
    "secret",
    triggers(
        trigger(rb"_(?=[0a-z]{16})", rb"_[0a-z]{16}"),
        trigger(rb"ia(?=[0a-z]{16})", rb"ia[0a-z]{16}"),
        *DASHES,
    ),
    _prefixed,
)
