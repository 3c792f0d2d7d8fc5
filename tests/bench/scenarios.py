"""What is compared: what is sent, in which way, and to whom."""

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.bench import latency, payloads, rivals, senders, startup, throughput, udp
from tests.bench.rivals import Rival
from tests.bench.throughput import Send, Values

OURS = "logopsd"
ALL_DETECTORS = "logopsd, all detectors"
IN_MEMORY = "logopsd, files in memory"
MMANON = "rsyslogd, mmanon"
PARSING = "rsyslogd, parsing only"
SYSLOG_NG = "syslog-ng, masking"
GATEWAY = "FastAPI and uvicorn"

BATCH_CONNECTIONS = 4
SINGLE_CONNECTIONS = 32

TCP_3164 = "TCP, RFC 3164, 158 bytes, LF"
TCP_5424 = "TCP, RFC 5424, 200 bytes, octet-counted"
TCP_LONG = "TCP, RFC 3164, 1 KiB, LF"
TCP_MIX = "TCP, mix of formats, LF"
TCP_SECRET = "TCP, RFC 3164, every message encrypted"
UDP_5424 = "UDP, RFC 5424, 200 bytes"
HTTP_MANY = "HTTP, 500 records a request"
HTTP_MANY_SECRET = "HTTP, 500, every message encrypted"
HTTP_ONE = "HTTP, one record a request"
HTTP_ONE_SECRET = "HTTP, one, encrypted"
LONE_IDLE = "a lone message, idle"
LONE_HALF_LOAD = "a lone message, half load"
START = "start and idle"

Once = Callable[[Path, int, float], Values]
"""Starts a program in a folder and on a core, and measures for some seconds, once."""
Start = Callable[[Path, int], contextlib.AbstractContextManager[Rival]]


@dataclass(frozen=True)
class Scenario:
    """One scenario.

    Attributes:
        name: what is sent, and how.
        kind: see results.Row.
        programs: each by its name, ours first.
    """

    name: str
    kind: str
    programs: Mapping[str, Once]


def scenarios(key: str) -> list[Scenario]:
    """Return all scenarios.

    Args:
        key: of Fernet, for where messages are encrypted.
    """
    secret = {
        OURS: partial(rivals.logopsd, key=key),
        GATEWAY: partial(rivals.gateway, key=key),
    }
    clear: dict[str, Start] = {OURS: rivals.logopsd, GATEWAY: rivals.gateway}
    idle = partial(_with, measure=latency.idle)
    half = partial(_with, measure=latency.half_load)
    return [
        Scenario(TCP_3164, "throughput", _tcp(_receivers(), payloads.rfc3164, "tcp")),
        Scenario(TCP_5424, "throughput", _tcp(_receivers(True), payloads.rfc5424, "octet")),
        Scenario(TCP_LONG, "throughput", _tcp(_receivers(), _long, "tcp")),
        Scenario(TCP_MIX, "throughput", _tcp({OURS: rivals.logopsd}, payloads.mix, "tcp")),
        Scenario(TCP_SECRET, "throughput", _tcp({OURS: secret[OURS]}, payloads.rfc3164, "tcp")),
        Scenario(UDP_5424, "udp", _all(_receivers(True), udp.measure)),
        Scenario(HTTP_MANY, "throughput", _http(clear, payloads.BATCH, BATCH_CONNECTIONS)),
        Scenario(HTTP_MANY_SECRET, "throughput", _http(secret, payloads.BATCH, BATCH_CONNECTIONS)),
        Scenario(HTTP_ONE, "throughput", _http(clear, 1, SINGLE_CONNECTIONS)),
        Scenario(HTTP_ONE_SECRET, "throughput", _http(secret, 1, SINGLE_CONNECTIONS)),
        Scenario(LONE_IDLE, "latency", _lone(idle)),
        Scenario(LONE_HALF_LOAD, "latency", _lone(half)),
        Scenario(START, "start", {OURS: startup.measure}),
    ]


def _receivers(rfc5424: bool = False) -> dict[str, Start]:
    return {
        OURS: rivals.logopsd,
        ALL_DETECTORS: partial(rivals.logopsd, detectors=None),
        MMANON: partial(rivals.rsyslogd, masking=True, rfc5424=rfc5424),
        PARSING: partial(rivals.rsyslogd, masking=False, rfc5424=rfc5424),
        SYSLOG_NG: partial(rivals.syslog_ng, rfc5424=rfc5424),
    }


def _with(
    directory: Path,
    cpu: int,
    seconds: float,
    *,
    start: Start,
    measure: Callable[[Rival, float], Values],
) -> Values:
    with start(directory, cpu) as rival:
        return measure(rival, seconds)


def _all(starts: Mapping[str, Start], measure: Callable[[Rival, float], Values]) -> dict[str, Once]:
    return {name: partial(_with, start=start, measure=measure) for name, start in starts.items()}


def _sending(starts: Mapping[str, Start], send: Callable[[], Send]) -> dict[str, Once]:
    """Measure the throughput; what is sent is made when the first of them is started."""

    def measure(rival: Rival, seconds: float) -> Values:
        return throughput.measure(rival, made(), seconds)

    made = _once(send)
    return _all(starts, measure)


def _once(make: Callable[[], Send]) -> Callable[[], Send]:
    made: list[Send] = []

    def get() -> Send:
        if not made:
            made.append(make())
        return made[0]

    return get


def _tcp(
    starts: Mapping[str, Start], payload: Callable[[], payloads.Payload], transport: str
) -> dict[str, Once]:
    def make() -> Send:
        data = payload()
        return lambda rival, seconds: senders.send_tcp(rival.addresses[transport], data, seconds)

    return _sending(starts, make)


def _http(starts: Mapping[str, Start], records: int, connections: int) -> dict[str, Once]:
    def make() -> Send:
        bodies = payloads.documents(records)
        return lambda rival, seconds: senders.send_http(
            rival.addresses["http"], bodies, records, connections, seconds
        )

    return _sending(starts, make)


def _lone(measure: Callable[..., Values]) -> dict[str, Once]:
    return {
        OURS: partial(measure, start=rivals.logopsd),
        IN_MEMORY: partial(measure, start=_in_memory),
        MMANON: partial(measure, start=partial(rivals.rsyslogd, masking=True)),
    }


@contextlib.contextmanager
def _in_memory(directory: Path, cpu: int) -> Iterator[Rival]:
    """Run the daemon with its files where no disk can be in the way."""
    with (
        tempfile.TemporaryDirectory(prefix="logopsd-bench-", dir="/dev/shm") as memory,
        rivals.logopsd(Path(memory), cpu) as rival,
    ):
        yield rival


def _long() -> payloads.Payload:
    return payloads.rfc3164(1024)
