"""What is aimed at, and how far a run came."""

from collections.abc import Iterator

from tests.bench import scenarios as s
from tests.bench.results import Results

SHORT = (s.TCP_3164, s.TCP_5424, s.TCP_LONG)


def reached(found: Results) -> Iterator[tuple[str, str]]:
    """Yield each aim, and what a run says of it."""
    for aim, peer in (
        ("at most 0.6 of the CPU of rsyslogd with mmanon", s.MMANON),
        ("less CPU than rsyslogd that only parses", s.PARSING),
        ("at most 0.35 of the CPU of syslog-ng", s.SYSLOG_NG),
    ):
        yield aim, _shares(found, peer)
    yield (
        "150,000 datagrams/s without loss, and more than the others",
        _each(found, s.UDP_5424, "rate", (s.OURS, s.MMANON, s.PARSING, s.SYSLOG_NG), ",.0f"),
    )
    yield (
        "4 times the gateway over HTTP, encrypted",
        f"{_times(found, s.HTTP_MANY_SECRET)} in batches, {_times(found, s.HTTP_ONE_SECRET)} one "
        "by one",
    )
    yield "250,000 records/s over TCP", _rates(found, s.TCP_3164, s.TCP_5424)
    yield "120,000 records/s over TCP, every message encrypted", _rates(found, s.TCP_SECRET)
    yield "150,000 records/s over HTTP in batches of 500", _rates(found, s.HTTP_MANY)
    yield "15,000 requests/s of one record", _rates(found, s.HTTP_ONE)
    for aim, scenario in (("5 ms idle", s.LONE_IDLE), ("50 ms at half load", s.LONE_HALF_LOAD)):
        texts = _each(found, scenario, "p99", (s.OURS, s.IN_MEMORY), ".1f", " ms")
        yield f"a lone message in the file, p99 under {aim}", texts
    yield "start to READY under 300 ms", _value(found, s.START, s.OURS, "ready", ".0f", " ms")
    yield (
        "idle: CPU under 0.5 %, memory under 60 MiB",
        _value(found, s.START, s.OURS, "idle", ".2%")
        + ", "
        + _value(found, s.START, s.OURS, "rss", ".0f", " MiB"),
    )


def _value(
    found: Results, scenario: str, program: str, name: str, form: str, unit: str = ""
) -> str:
    value = found.value(scenario, program, name)
    return "?" if value is None else format(value, form) + unit


def _each(
    found: Results,
    scenario: str,
    name: str,
    programs: tuple[str, ...],
    form: str,
    unit: str = "",
) -> str:
    return "; ".join(
        f"{program}: {_value(found, scenario, program, name, form, unit)}" for program in programs
    )


def _shares(found: Results, peer: str) -> str:
    return "; ".join(
        f"{_ratio(found, scenario, s.OURS, peer, 'cpu')} ({scenario.removeprefix('TCP, ')})"
        for scenario in SHORT
    )


def _times(found: Results, scenario: str) -> str:
    return f"{_ratio(found, scenario, s.OURS, s.GATEWAY, 'rate')} times"


def _ratio(found: Results, scenario: str, program: str, other: str, name: str) -> str:
    one, two = (found.value(scenario, each, name) for each in (program, other))
    return f"{one / two:.2f}" if one and two else "?"


def _rates(found: Results, *names: str) -> str:
    return "; ".join(
        f"{_value(found, name, s.OURS, 'rate', ',.0f')} ({name.partition(', ')[2]})"
        for name in names
    )
