"""Access lines of web servers (Common and Combined Log Format) and of HAProxy.

Sources: Apache mod_log_config and nginx ngx_http_log_module; HAProxy configuration manual,
section 8.2.
"""

import re
from typing import Any, Final

from logopsd.parsing.normalize import attach, take_time
from logopsd.parsing.timestamps import Stamps
from logopsd.patterns import lazy_pattern, possessive
from logopsd.records import Record

_QUOTED: Final = '"(' + possessive(r'(?:[^"\\]|\\.)', "*") + ')"'
_ADDRESS: Final = r"([0-9A-Fa-f.:]{2,45}+)"

# 83.11.22.33 - anna [14/Mar/2026:15:00:00 +0100] "GET / HTTP/1.1" 200 612 "-" "curl/8"
_NCSA: Final = lazy_pattern(
    rf"{_ADDRESS} ([^ ]++) ([^ ]++) \[([^\]]{{20,40}}+)\] {_QUOTED} ([0-9]{{3}}) ([0-9]{{1,18}}|-)"
    rf"(?>(?: {_QUOTED} {_QUOTED})?)(?= |\Z)",
    re.DOTALL,
)
# 10.0.0.1:33317 [14/Mar/2026:15:00:00.123] fe be/srv 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0
# 0/0 {captured} "GET / HTTP/1.1"; over TCP without status, cookies and request
_HAPROXY: Final = lazy_pattern(
    r"([0-9A-Fa-f.:]{2,45}):([0-9]{1,5}) \[([^\]]{20,40}+)\] ([^ ]++) ([^ /]++)/([^ ]++)"
    r" ([-+0-9/]++) (?:(-1|[0-9]{3}) \+?([0-9]{1,18}) [^ ]++ [^ ]++|\+?([0-9]{1,18}))"
    r" ([A-Za-z-]{2,4})"
    rf" ([0-9+/]++) ([0-9/]++)(?>(?: [^\"]*+{_QUOTED})?)",
    re.DOTALL,
)
_REQUEST: Final = lazy_pattern(r"([A-Z]{1,20}) ([^ ]++)(?: (HTTP/[0-9.]{1,3}))?")


def read_access(record: Record, stamps: Stamps) -> bool:
    """Read the message of a record as an access line; return whether it is one.

    The message stays whole; who asked for what, and what came of it, become fields beside it.
    """
    match = _NCSA.match(record.msg)
    if match is not None:
        fields, stamp_text = _ncsa_fields(match)
    else:
        match = _HAPROXY.match(record.msg)
        if match is None:
            return False
        fields, stamp_text = _haproxy_fields(match)
    take_time(record, stamp_text, stamps)
    attach(record, {name: value for name, value in fields.items() if value not in (None, "-", "")})
    return True


def _ncsa_fields(match: re.Match[str]) -> tuple[dict[str, Any], str]:
    client, ident, user, stamp, request, status, size, referer, agent = match.groups()
    return {
        "client_ip": client,
        "ident": ident,
        "user": user,
        **_read_request(request),
        "status": int(status),
        "bytes": None if size == "-" else int(size),
        "referer": referer,
        "user_agent": agent,
    }, stamp


def _haproxy_fields(match: re.Match[str]) -> tuple[dict[str, Any], str]:
    client, port, stamp, frontend, backend, server, timers, status, *rest = match.groups()
    size, tcp_size, state, connections, queues, request = rest
    return {
        "client_ip": client,
        "client_port": int(port),
        "frontend": frontend,
        "backend": backend,
        "server": server,
        "timers": timers,
        "status": None if status is None else int(status),
        "bytes": int(size or tcp_size),
        "termination_state": state,
        "connections": connections,
        "queues": queues,
        **_read_request(request or ""),
    }, stamp


def _read_request(request: str) -> dict[str, str | None]:
    match = _REQUEST.fullmatch(request)
    if match is None:
        return {"request": request}
    method, path, protocol = match.groups()
    return {"method": method, "path": path, "protocol": protocol}
