"""The table of fuzz targets: what to call with any bytes, and bytes to begin from.

A target raises for nothing but a defect: exceptions that a parser documents it catches itself.
"""

import gzip
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.fuzz import framers, parsers, web

DATA = Path(__file__).resolve().parents[1] / "data" / "parsing"


class Target(NamedTuple):
    """One of them.

    Attributes:
        run: takes any bytes.
        seeds: bytes that lead far into it.
    """

    run: Callable[[bytes], None]
    seeds: Sequence[bytes]


RFC5424 = (
    b'<165>1 2026-11-23T18:00:00.003Z host app 12 ID47 [id@32473 a="b\\"c"][x y="1"] '
    b"\xef\xbb\xbfmsg"
)
RFC3164 = b"<34>Oct 11 22:14:15 mymachine su[12]: 'su root' failed"
JOURNAL = (
    b"__CURSOR=s=ab;i=1;b=cd;m=1;t=5;x=6\n__REALTIME_TIMESTAMP=1795456800000000\n"
    b"PRIORITY=3\nMESSAGE\n\x05\0\0\0\0\0\0\0a\nb\nc\n_PID=1\n\n_PID=2\nMESSAGE=x\n\n"
)
OTLP = (
    b'{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":'
    b'"x"}}]},"scopeLogs":[{"scope":{"name":"y"},"logRecords":[{"timeUnixNano":'
    b'"1544712660300000000","severityNumber":10,"body":{"stringValue":"z"},"attributes":[{"key":'
    b'"a","value":{"arrayValue":{"values":[{"intValue":"1"}]}}}],"traceId":"ab"}]}]}]}'
)
LOKI = b'{"streams":[{"stream":{"app":"x"},"values":[["1795456800000000000","line",{"k":"v"}]]}]}'
STREAM = b"<13>one\r\n8 <13>two\n<13>three\x005 <1>ab<4>four\n99 <13>short"
RELP = b"1 open 14 relp_version=0\n2 syslog 9 <13>hello\n3 close 0\n"
PROXY = (
    b"PROXY TCP4 192.0.2.7 192.0.2.1 56324 443\r\nrest",
    b"PROXY UNKNOWN\r\n",
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x07\xc0\0\x02\x01\x1b\x58\x01\xbbrest",
)
HTTP = (
    b"POST /v1/logs HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"2;x=y\r\nhi\r\n0\r\nt: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
)
PERSONAL = (
    b"from anna@example.com 83.11.22.33 2001:db8::1 4111 1111 1111 1111 password=hunter2\n"
    b"PL61109010140000071219812874 eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl "
    b"+48 600 700 800 PESEL 44051401359 00:1b:44:11:3a:b7"
)


def golden(*families: str) -> list[bytes]:
    """Return the lines of devices that the tests hold."""
    return [line for name in families for line in (DATA / f"{name}.raw").read_bytes().split(b"\n")]


EVERY_LINE = golden(*sorted(path.stem for path in DATA.glob("*.raw")))

TARGETS: dict[str, Target] = {
    "syslog_stream": Target(framers.syslog_stream, [STREAM]),
    "newline": Target(framers.newline, [STREAM]),
    "multiline": Target(framers.multiline, [b"<1>a\nTraceback (most recent call last):\n x\nE: y"]),
    "relp": Target(framers.relp, [RELP]),
    "journal_export": Target(framers.journal_export, [JOURNAL]),
    "proxy_header": Target(framers.proxy_header, PROXY),
    "ndjson_stream": Target(framers.ndjson_stream, [b'{"a":1}\n\n[1]\n"x"\nbad\n']),
    "line": Target(parsers.line(), [RFC5424, RFC3164, *EVERY_LINE]),
    "rfc5424": Target(parsers.line(b"<165>1 "), [RFC5424[7:]]),
    "rfc3164": Target(parsers.line(b"<34>"), [RFC3164[4:]]),
    "json_line": Target(
        parsers.line(b"{"), [b'"ts":1795456800,"level":30,"msg":"x","a":{"b":[]}}']
    ),
    "cef": Target(parsers.line(b"<1>CEF:"), [b"0|a|b|1|2|name|9|rt=1795456800000 msg=x y=z\\=1"]),
    "leef": Target(
        parsers.line(b"<1>LEEF:"), [b"2.0|a|b|1|2|^|sev=5^devTime=Nov 23 2026 18:00:00"]
    ),
    "cisco": Target(parsers.line(b"<189>"), golden("cisco")),
    "stamps": Target(parsers.stamps, [b"2026-11-23T18:00:00,5+01:00", b"Nov 23 2026 18:00:00 CET"]),
    "pairs": Target(parsers.pairs, [b'a=1 b="x\\"y" c=\'d\'', b'[id@1 a="b"][c d="e\\]"]']),
    "json_body": Target(parsers.json_body, [b'[{"msg":"x"},"line",{"@timestamp":"2026"}]']),
    "ndjson_body": Target(parsers.ndjson_body, [b'{"msg":"x"}\n"line"\n']),
    "csv_body": Target(
        parsers.csv_body, [b'ts,level,msg,a,a\n2026-11-23T18:00:00Z,warn,"x ""y""",1\n']
    ),
    "otlp": Target(parsers.otlp, [OTLP]),
    "loki": Target(parsers.loki, [LOKI]),
    "journal": Target(parsers.journal, [JOURNAL]),
    "http": Target(web.http, HTTP),
    "inflate": Target(
        web.inflate, [gzip.compress(b"x" * 99, mtime=0), b"x\x9cKLJ\x06\0\x02M\x01'"]
    ),
    "masking": Target(web.masking, [PERSONAL, *golden("key_value")]),
    "token": Target(web.token, [b"gAAAAABqAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]),
    "env_file": Target(web.env_file, [b"LOGOPS_TCP_PORT=1\nexport A='b'\n# c\nX\n"]),
}
