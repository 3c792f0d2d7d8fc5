"""What opens doors: passwords in URLs, JSON web tokens, credentials of HTTP, keys by their prefix.

`password=...` and its kind stand in `assignments`. None of these runs across white space, as a
secret that is made up of the words of two fields hides what an operator needs to see.
"""

import re

from logopsd.privacy.detectors.base import Detector, Find, triggers

MASK = "***"

_PASSWORD = re.compile(
    r"""://([^\s:/?\#"'<>\0]{0,256}+):(?![0-9]{1,5}+(?![^\s/?\#"'<>,;)\]}\0]))
    (?:([^\s/?\#"'<>\0]{0,256})|([^\s"'<>@\0]{0,256}))@(?=[\w\[%])""",
    re.VERBOSE,
)
"""`://user:password@host`, not `://host:port/`. The password ends at the last `@` before a slash,
question mark or hash; where one of these stands before the first `@`, it belongs to the password.
A URL is rarely longer than the bounds, and without them a page of colons costs its square."""

_TOKEN_AS_USER = re.compile(r"://(?=[a-zA-Z_-]*[0-9])([\w-]{20,256}+)@(?=\w)", re.ASCII)
"""`https://ghp_...@github.com`: one long word with a digit is a token and not a name."""

_JWT = re.compile(
    r"""(?:(?<![A-Za-z0-9_-])|(?<=%[0-9A-Fa-f]{2}))
    eyJ[A-Za-z0-9_-]{5,}+\.(?:eyJ[A-Za-z0-9_-]*+(?:\.[A-Za-z0-9_-]*+)?
    |[A-Za-z0-9_-]*+(?:\.[A-Za-z0-9_-]++){1,3}+)""",
    re.VERBOSE,
)
"""RFC 7515 and 7516: two to five parts; each begins where no part before may reach into it."""

_SCHEMES = (
    "bearer|basic|digest|negotiate|ntlm|token|apikey|aws4-hmac-sha256|hoba|mutual|scram-sha-256"
)

_AUTHORIZATION = re.compile(
    rf"""authorization(?:\\?["'])?[ ]{{0,2}}(?:=>?|:|%3a|%3d)(?:[ +]|%20){{0,2}}(?:\\?["'])?
    (?:((?:{_SCHEMES})(?:[ +]|%20){{1,2}})([^\s"'\\<>\0]++)|([^\s"'\\<>,;\0]{{8,}}+))""",
    re.VERBOSE | re.IGNORECASE,
)
"""RFC 9110 section 11.6.2, as headers, JSON and query strings show it."""

_BEARER = re.compile(r"(?:bearer)(?:[ +:=]|%20){1,2}([A-Za-z0-9._~+/=-]{16,}+)", re.IGNORECASE)
_BASIC = re.compile(r"basic(?:[ +]|%20)([A-Za-z0-9+/]{8,}+={0,2})", re.IGNORECASE)

_PREFIXED = re.compile(
    r"""(?<![A-Za-z0-9])(?:
    (?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}(?![0-9A-Za-z])  # AWS
    |gh[pousr]_[A-Za-z0-9]{20,255}+|github_pat_\w{22,255}+  # GitHub
    |glpat-[\w-]{20,255}+  # GitLab
    |xox[abeoprs]-[A-Za-z0-9-]{10,255}+  # Slack
    |[rs]k_(?:live|test)_[A-Za-z0-9]{16,255}+  # Stripe
    |sk-[\w-]{20,255}+  # OpenAI and others
    |npm_[A-Za-z0-9]{36}|hf_[A-Za-z0-9]{30,255}+|dop_v1_[a-f0-9]{64})""",
    re.VERBOSE | re.ASCII,
)

_PREFIX_LENGTH = {"_": 11, "-": 5, "i": 2}
"""How far before what a trigger finds a prefixed key may begin."""

_PRIVATE_KEY = re.compile(
    r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:(?<=[n\n])[A-Za-z-]{1,24}: [^\n\\\0]{0,128}|[A-Za-z0-9+/=\s]|\\[nr])*+"
    r"(?:-----END (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----)?"
)
"""RFC 7468, with line feeds as they are or as JSON writes them; a cut block has no end."""


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
    if match[group].startswith(MASK) or (group == 3 and match[3].isalpha()):
        return None  # masked before, or prose: `authorization: required`
    return match.start(group), match.end(group), MASK


def _scheme(text: str, at: int) -> Find | None:
    match = _BEARER.match(text, at) or _BASIC.match(text, at)
    if not match or not any(char.isdigit() or char.isupper() for char in match[1]):
        return None  # prose: `basic authentication`
    return match.start(1), match.end(1), MASK


def _prefixed(text: str, at: int) -> Find | None:
    if text[at + 1] == "-":
        return None
    reach = _PREFIX_LENGTH[text[at].lower()]
    for begin in range(max(at - reach, 0), at + 1):
        match = _PREFIXED.match(text, begin)
        if match:
            return begin, match.end(), match[0][:4] + MASK
    return None


def _private_key(text: str, at: int) -> Find | None:
    match = _PRIVATE_KEY.match(text, at)
    return (at, match.end(), "[private key]") if match else None


DASHES = triggers(rb"-(?=[0a-z][0a-z_-]{9}|-[a-z]|----begin )")
"""The dash in a prefix, before an option, and before a key's block: searched for once for all."""

PRIVATE_KEY = Detector("secret", DASHES, _private_key)
URL_PASSWORD = Detector("secret", triggers(rb"://"), _url_password)
JWT = Detector("jwt", triggers(rb"j(?<=eyj)"), _jwt)
AUTHORIZATION = Detector("secret", triggers(rb"z(?=ation)"), _authorization)
SCHEME = Detector("secret", triggers(rb"bearer", rb"basic[ +%]"), _scheme)
PREFIXED = Detector(
    "secret", (*triggers(rb"_(?=[0a-z_]{16})", rb"ia(?=[0a-z]{16})"), *DASHES), _prefixed
)
