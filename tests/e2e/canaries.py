"""Secret values that are easily found again, and every place in which they may be sent.

Each value is used once, so that one that is found tells where it was sent.
"""

import itertools
import json
import re
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any


@dataclass(frozen=True)
class Kind:
    """One kind of secret.

    Attributes:
        name: of it.
        make: gives the n-th text that carries one; n is below 10,000.
        found: matches what must never be seen of it.
    """

    name: str
    make: Callable[[int], str]
    found: re.Pattern[str]


def _card(n: int) -> str:
    body = f"41111177{n:04d}000"
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return body + str(-total % 10)


def _iban(n: int) -> str:
    body = f"7788{n:04d}00000000"
    check = 98 - int(f"10901014{body}252100") % 97
    return f"PL{check:02d}10901014{body}"


def _letters(n: int, count: int) -> str:
    """So many letters and digits, all in upper case, that tell n."""
    return (f"Q7W{n:04d}ZXCVB" * 8)[:count]


KINDS = (
    Kind(
        "email",
        lambda n: f"canary.{n:04d}.whisper@corp.example.org",
        re.compile(r"canary.\d{4}.whisper", re.IGNORECASE),
    ),
    Kind(
        "ipv4",
        lambda n: f"83.11.{n // 250 + 1}.{n % 250 + 1}",
        re.compile(r"83.11.\d{1,3}.\d{1,3}"),
    ),
    Kind(
        "ipv6",
        lambda n: f"2a02:a31c:{n + 4096:x}:8d00:1:2:3:4",
        re.compile(r"2a02:a31c:[0-9a-f]{4}", re.IGNORECASE),
    ),
    Kind("card", _card, re.compile(r"41111177\d{8}")),
    Kind("iban", _iban, re.compile(r"109010147788\d{12}")),
    Kind(
        "jwt",
        lambda n: f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIi{_letters(n, 24)}.{_letters(n, 43)}",
        re.compile(r"eyJzdWIiQ7W\d{4}|Q7W\d{4}ZXCVB"),
    ),
    Kind(
        "bearer",
        lambda n: f"Authorization: Bearer beareR{n:04d}canary0123456789",
        re.compile(r"beareR\d{4}canary"),
    ),
    Kind(
        "password",
        lambda n: f"password=hunteR{n:04d}canary",
        re.compile(r"hunteR\d{4}canary"),
    ),
    Kind("aws", lambda n: f"AKIA{_letters(n, 16)}", re.compile(r"Q7W\d{4}ZXCVB")),
    Kind("github", lambda n: f"ghp_{_letters(n, 36)}", re.compile(r"Q7W\d{4}ZXCVB")),
    Kind(
        "url",
        lambda n: f"postgres://app:sesamE{n:04d}canary@db.example.org/x",
        re.compile(r"sesamE\d{4}canary"),
    ),
)

NAMED = Kind("named", lambda n: f"botaniC{n:04d}canary", re.compile(r"botaniC\d{4}canary"))
"""A secret that only the name before it tells: without one nobody could know."""


class Canaries:
    """Gives each place a value of its own, and finds them again."""

    def __init__(self) -> None:
        self._counter = itertools.count(1)
        self._places: dict[str, str] = {}
        self._open: list[tuple[str, str]] = []

    def value(self, kind: Kind, place: str) -> str:
        """Give the next value of a kind, to be sent in a place."""
        text = kind.make(next(self._counter) % 10_000)
        match = kind.found.search(text)
        assert match, text
        self._places[match[0].lower()] = f"{kind.name} in {place}"
        return text

    def leaks(self, name: str, data: bytes) -> list[str]:
        """Say which values stand in data, where they were sent, and in what surroundings."""
        text = data.decode("utf-8", "replace")
        views = {text, urllib.parse.unquote(text)}
        told = []
        for kind in (*KINDS, NAMED):
            for view in views:
                for match in kind.found.finditer(view):
                    place = self._places.get(match[0].lower())
                    if place:
                        around = view[max(0, match.start() - 60) : match.end() + 40]
                        told.append(f"{name}: {place}: ...{around}...")
        return told


Give = Callable[[str], str]
"""Gives the next canary, for a place."""


def lines(give: Give) -> Iterator[bytes]:
    """One line of syslog for each place and encoding."""
    for name, make in _LINES.items():
        yield make(partial(give, name)).encode()


def _escaped(text: str) -> str:
    return text.replace("@", "\\u0040")


def _all_escaped(text: str) -> str:
    return "".join(f"\\u{ord(character):04x}" for character in text)


def _word(text: str) -> str:
    """A text that fits a header field: what stands behind its last blank would not be in it."""
    return text if " " not in text else "x"


_NOW = "2026-11-23T12:00:00Z"

_LINES: dict[str, Callable[[Callable[[], str]], str]] = {
    "5424 msg": lambda v: f"<13>1 {_NOW} h app 1 id - login {v()} ok",
    "5424 msg alone": lambda v: f"<13>1 {_NOW} h app 1 id - {v()}",
    "5424 sd value": lambda v: f'<13>1 {_NOW} h app 1 id [x@1 a="{v()}"] m',
    "5424 sd password": lambda v: f'<13>1 {_NOW} h app 1 id [x@1 password="{v()}"] m',
    "5424 sd name": lambda v: f'<13>1 {_NOW} h app 1 id [x@1 {v()}="a"] m',
    "5424 sd id": lambda v: f'<13>1 {_NOW} h app 1 id [{v()} a="b"] m',
    "5424 sd escaped": lambda v: f'<13>1 {_NOW} h app 1 id [x@1 a="\\"{v()}\\""] m',
    "5424 host": lambda v: f"<13>1 {_NOW} {_word(v())} app 1 id - m",
    "5424 app": lambda v: f"<13>1 {_NOW} h {_word(v())} 1 id - m",
    "5424 procid": lambda v: f"<13>1 {_NOW} h app {_word(v())} id - m",
    "5424 msgid": lambda v: f"<13>1 {_NOW} h app 1 {_word(v())} - m",
    "5424 stamp": lambda v: f"<13>1 {_word(v())} h app 1 id - m",
    "5424 broken sd": lambda v: f'<13>1 {_NOW} h app 1 id [x@1 a="{v()} m',
    "3164 msg": lambda v: f"<13>Nov 23 12:00:00 h app[1]: got {v()}",
    "3164 tag": lambda v: f"<13>Nov 23 12:00:00 h {v()}: m",
    "3164 pid": lambda v: f"<13>Nov 23 12:00:00 h app[{v()}]: m",
    "3164 host": lambda v: f"<13>Nov 23 12:00:00 {v()} app: m",
    "plain": lambda v: f"something with {v()} in it",
    "plain alone": lambda v: v(),
    "plain angle": lambda v: f"from=<{v()}>, to=<x>",
    "plain bad priority": lambda v: f"<9999>{v()}",
    "plain %40": lambda v: f"q={v().replace('@', '%40')}&x=1",
    "plain quoted": lambda v: f"q={urllib.parse.quote(v(), safe=':=/')} x",
    "plain \\u0040": lambda v: f'"{_escaped(v())}"',
    "plain NUL": lambda v: f"a\x01{v()}\x01b",
    "access log": lambda v: f'{_word(v())} - - [23/Nov/2026:12:00:00 +0000] "GET / HTTP/1.1" 200 5',
    "access log query": lambda v: (
        f'127.0.0.1 - - [23/Nov/2026:12:00:00 +0000] "GET /?q={_word(v())} HTTP/1.1" 200 5 "-" "-"'
    ),
    "access log user": lambda v: (
        f'127.0.0.1 - {_word(v())} [23/Nov/2026:12:00:00 +0000] "GET / HTTP/1.1" 200 5 "-" "-"'
    ),
    "logfmt value": lambda v: f'level=info msg="hello" user="{v()}" n=1',
    "logfmt msg": lambda v: f'level=info ts={_NOW} msg="hello {v()}"',
    "logfmt bare": lambda v: f"level=info msg=hello who={_word(v())}",
    "logfmt password": lambda v: f'level=info msg=hello password="{v()}"',
    "cef": lambda v: f"<13>CEF:0|v|p|1|100|name|5|src=1 suser={v()} msg=done",
    "cef name": lambda v: f"<13>CEF:0|v|p|1|100|{v()}|5|act=x",
    "cef vendor": lambda v: f"<13>CEF:0|{v()}|p|1|100|n|5|act=x",
    "leef": lambda v: f"<13>LEEF:1.0|v|p|1|e|usrName={v()}\tx=1",
    "cisco": lambda v: f"<13>Nov 23 2026 12:00:00 h : %ASA-6-302013: Built {v()} for x",
    "palo alto": lambda v: f"<13>Nov 23 12:00:00 h 1,2026/11/23 12:00:00,0,THREAT,url,{v()},x",
    "json msg": lambda v: json.dumps({"msg": f"a {v()}", "ts": _NOW}),
    "json field": lambda v: json.dumps({"msg": "m", "f": v()}),
    "json key": lambda v: json.dumps({"msg": "m", v(): "f"}),
    "json escaped": lambda v: f'{{"msg":"m","f":"{_all_escaped(v())}"}}',
    "json in 5424": lambda v: f"<13>1 {_NOW} h app 1 id - " + json.dumps({"msg": "m", "f": v()}),
    "cee": lambda v: "<13>Nov 23 12:00:00 h app: @cee:" + json.dumps({"msg": "m", "f": v()}),
    "json in json": lambda v: json.dumps({"msg": json.dumps({"user": v()})}),
    "json broken": lambda v: '{"msg": "m", "f": "' + v(),
}


def documents(give: Give) -> Iterator[dict[str, Any]]:
    """One JSON object for each place."""
    text = "a text with {} in it"
    for name in (
        *("msg", "message", "field", "user_email", "client_ip", "ts", "level", "emitter"),
        *("service", "app", "host", "hostname", "procid", "msgid", "peer", "input", "received"),
        *("msg_enc", "format", "facility", "severity", "encoding", "truncated", "guessed", "sd"),
        *("password", "token", "api_key", "user", "ts_orig", "original_length"),
    ):
        yield {"msg": "m", name: give(f"document {name}")}
        yield {"msg": "m", name: text.format(give(f"document {name}, within"))}
        yield {"msg": "m", name: [give(f"document {name}, list")]}
        yield {"msg": "m", name: {"a": give(f"document {name}, object")}}
    yield {"msg": "m", give("document key"): 1}
    yield {"msg": "m", "a": {give("document nested key"): {"b": [give("document depth")]}}}
    yield {"msg": {"a": give("document msg object")}}
    yield {"msg": [give("document msg list"), {give("document msg list key"): 1}]}
    deep: Any = give("document depth 60")
    for _ in range(60):
        deep = {"d": [deep]}
    yield {"msg": "m", "deep": deep}
    yield {"message": give("document aliases"), "msg": give("document aliases 2"), "text": "x"}


def named_lines(give: Give) -> Iterator[bytes]:
    """One line of syslog for each way of putting a name before a secret."""
    for line in (
        "<13>1 - h app - - - login password={} ok",
        '<13>1 - h app - - [x@1 password="{}"] m',
        '<13>1 - h app - - [x@1 password="{}" password="{}"] m',
        "<13>Nov 23 12:00:00 h app[1]: token: {}",
        "level=info msg=hello password={}",
        'level=info msg=hello password="{}" password="{}"',
        "<13>CEF:0|v|p|1|100|n|5|act=x password={}",
        "<13>CEF:0|v|p|1|100|n|5|password={} password={}",
        '{{"msg": "m", "password": "{}"}}',
        "<13>1 - h app - - - {{'password': '{}'}}",
        "curl --password {} https://example.com",
        "GET /login?user=a&password={}&x=1",
        "GET /?api_key={} HTTP/1.1",
    ):
        values = [give(f"named: {line}") for _ in range(line.count("{}"))]
        yield line.format(*values).encode()


def named_documents(give: Give) -> Iterator[dict[str, Any]]:
    """The same in objects."""
    for name in ("password", "user_password", "api_key", "access_token", "client_secret"):
        yield {"msg": "m", name: give(f"{name}")}
        yield {"msg": "m", name: [give(f"{name}, list"), {"x": give(f"{name}, list, object")}]}
        yield {"msg": "m", name: {"old": give(f"{name}, object")}}
        yield {"msg": "m", "a": {"b": [{name: give(f"{name}, deep")}]}}
        yield {"msg": {name: give(f"{name} in msg")}}
        yield {"msg": "m", "body": json.dumps({name: give(f"{name}, JSON in a text")})}
        yield {"msg": json.dumps({"a": json.dumps({name: give(f"{name}, JSON twice")})})}
