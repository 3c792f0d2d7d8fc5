"""Pushing to Loki; against a double of it (see loki_double.py), never a real one."""

import asyncio
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from logopsd.bus.login import Login
from logopsd.errors import RemoteError
from logopsd.figures.shipping import ShipFigures
from logopsd.shipping.address import LokiAddress, parse_target
from logopsd.shipping.cut import Cut
from logopsd.shipping.loki import Loki
from logopsd.shipping.shipper import Shipper
from logopsd.shipping.target import Sent
from tests.shipping.helpers import quiet
from tests.shipping.loki_double import LokiDouble

NOW = float(int(time.time()))


@pytest.fixture
def double() -> Iterator[LokiDouble]:
    """Return a double that is up."""
    with LokiDouble() as made:
        made.now = NOW
        yield made


def stamp(ago: float = 0.0) -> str:
    """A time, so many seconds ago."""
    moment = datetime.fromtimestamp(NOW - ago, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def record(msg: str, ts: float = 0.0, received: float = 0.0, **more: Any) -> dict[str, Any]:
    """A record, its times so many seconds ago."""
    return {
        "ts": stamp(ts),
        "level": "INFO",
        "msg": msg,
        "emitter": "shop",
        "input": "udp",
        "received": stamp(received),
        **more,
    }


def target(double: LokiDouble, login: Login | None = None, **more: Any) -> Loki:
    """What pushes to it."""
    address = parse_target(double.address)
    assert isinstance(address, LokiAddress)
    return Loki(address, login or Login(), clock=lambda: NOW, **more)


def push(double: LokiDouble, *records: dict[str, Any] | bytes, loki: Loki | None = None) -> Sent:
    """Send some records as one range."""
    lines = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in records]
    data = b"".join(line + b"\n" for line in lines)
    loki = loki or target(double)

    async def run() -> Sent:
        try:
            return await loki.send(Cut("20261123.ndjson", 0, len(data), data, full=True), "s")
        finally:
            await loki.close()

    return asyncio.run(run())


def test_a_record_has_few_labels_and_the_rest_beside_the_line(double: LokiDouble) -> None:
    """The message is the line; all else can be filtered by."""
    made = record(
        "hello", ts=5, host="web-1", order_id=7, sd={"a@1": {"b": "c"}}, **{"2nd-x": True}
    )

    assert push(double, made) == Sent(1, 1)

    ((labels, entries),) = double.streams.items()
    assert labels == (("emitter", "shop"), ("input", "udp"), ("level", "INFO"))
    ((at, line, metadata),) = entries
    assert (line, at) == ("hello", round((NOW - 5) * 1000) * 1_000_000)
    assert metadata == {
        "received": stamp(),
        "host": "web-1",
        "order_id": "7",
        "sd": '{"a@1":{"b":"c"}}',
        "_2nd_x": "true",
    }


def test_entries_of_a_stream_go_in_order_of_their_time(double: LokiDouble) -> None:
    """The double refuses any other; those of one time stay as they stand in the file."""
    made = [record("b", ts=5), record("c", ts=5), record("a", ts=9), record("x", level="WARN")]

    assert push(double, *made).records == 4

    assert [line for _, line, _ in double.entries()] == ["a", "b", "c", "x"]


def test_what_is_no_record_is_a_line_all_the_same(double: LokiDouble) -> None:
    """Someone else's line, and a record without times."""
    assert push(double, b"no JSON \xff", b"[1]", b'{"level":"INFO","msg":{"a":1}}').records == 3

    assert {line for _, line, _ in double.entries()} == {"no JSON \ufffd", "[1]", '{"a":1}'}


@pytest.mark.parametrize("ts", ["", "soon", "2026-11-23T10:00:00", 5])
def test_a_time_that_is_none_is_that_of_arrival(double: LokiDouble, ts: object) -> None:
    """Someone else wrote it."""
    push(double, {**record("x", received=9), "ts": ts})

    assert double.entries()[0][0] == round((NOW - 9) * 1000) * 1_000_000


@pytest.mark.parametrize(
    "more",
    [
        {f"f{n}": "x" for n in range(200)},
        {"long": "x" * 70_000},
        {"a-b": "1", "a.b": "2"},
        {"": "x"},
    ],
)
def test_what_does_not_fit_beside_a_line_is_the_line(
    double: LokiDouble, more: dict[str, Any]
) -> None:
    """The record whole, as it is stored; nothing of it is lost."""
    made = record("hello", **more)

    assert push(double, made) == Sent(1, 1)

    assert json.loads(double.entries()[0][1]) == made


def test_a_longer_line_than_loki_takes_is_cut_and_says_so(double: LokiDouble) -> None:
    """At a whole character; the file has all of it."""
    assert push(double, record("ü" * 200_000), record("short")) == Sent(2, 1)

    ((_, line, metadata),) = [each for each in double.entries() if each[1] != "short"]
    assert line == "ü" * 131_072
    assert (metadata["truncated"], metadata["original_length"]) == ("true", "400000")


@pytest.mark.parametrize("ts", [30 * 86400, -86400])
def test_a_time_that_loki_refuses_becomes_that_of_arrival(double: LokiDouble, ts: float) -> None:
    """A sender's clock may be wrong; what it said is kept beside the line."""
    sent = push(double, record("good"), record("odd", ts=ts))

    assert sent == Sent(2, 2)
    (odd,) = [each for each in double.entries() if each[1] == "odd"]
    assert odd[0] == round(NOW * 1000) * 1_000_000
    assert odd[2]["ts"][:19] == stamp(ts)[:19]
    assert len(double.entries()) == 2


def test_what_loki_will_not_take_is_skipped_and_counted(double: LokiDouble) -> None:
    """It arrived too long ago as well; the others of its push are kept once."""
    old = 10 * 86400
    made = [record(f"good {n}") for n in range(20)]
    made[7:7] = [record("old", ts=old, received=old)]

    sent = push(double, *made)

    assert (sent.records, sent.skipped) == (20, {"too_old": 1})
    assert sorted(line for _, line, _ in double.entries()) == sorted(f"good {n}" for n in range(20))


def test_a_backlog_that_is_too_old_does_not_stand_in_the_way(double: LokiDouble) -> None:
    """It is given up in larger pieces, by a bounded number of requests."""
    old = 10 * 86400

    sent = push(double, *(record(f"{n}", ts=old, received=old) for n in range(1000)))

    assert (sent.records, sent.skipped) == (0, {"too_old": 1000})
    assert double.pushes < 80


@pytest.mark.parametrize(
    ("answer", "after", "passing", "text"),
    [
        ((429, {"Retry-After": "7"}), 7.0, True, "takes no more at present"),
        ((503, {"Retry-After": "99999"}), 300.0, True, "takes no more at present"),
        ((500, {"Retry-After": "soon"}), 0.0, True, "takes no more at present"),
        ((260, {}), 0.0, True, "blocks ingestion"),
        ((401, {}), 0.0, False, "LOGOPS_SHIP_TOKEN_FILE"),
        ((404, {}), 0.0, False, "push API"),
        ((0, {}), 0.0, True, "cannot be reached"),
    ],
)
def test_what_is_not_taken_now_is_to_be_sent_again(
    double: LokiDouble,
    answer: tuple[int, dict[str, str]],
    after: float,
    passing: bool,
    text: str,
) -> None:
    """As soon as the server asks for it, within reason; what needs a mend names it."""
    double.answers = [answer]

    with pytest.raises(RemoteError, match=text) as caught:
        push(double, record("x"))

    assert (caught.value.passing, caught.value.after) == (passing, after)
    assert push(double, record("x")) == Sent(1, 1)


def test_who_we_are_is_said_in_headers(double: LokiDouble) -> None:
    """Basic or bearer, and the tenant."""
    double.authorization = "Basic bWU6Z2VoZWlt"
    push(double, record("1"), loki=target(double, Login(user="me", password="geheim")))
    double.authorization = "Bearer t0ken"
    push(double, record("2"), loki=target(double, Login(token="t0ken"), tenant="team-a"))

    assert double.requests[-1]["X-Scope-OrgID"] == "team-a"
    assert len(double.entries()) == 2


def test_positions_and_promise_are_those_of_any_target(double: LokiDouble, tmp_path: Path) -> None:
    """Refused, cut off and throttled on the way, all is there once."""
    lines = [json.dumps(record(f"{n}")).encode() + b"\n" for n in range(50)]
    (tmp_path / "20261123.ndjson").write_bytes(b"".join(lines))
    double.answers = [(500, {}), (0, {}), (429, {"Retry-After": "0"})]
    figures, (log, _) = ShipFigures(), quiet()

    async def pause(_: float) -> None:
        pass

    async def run() -> None:
        for _ in range(2):
            await Shipper(
                tmp_path, target(double), figures=figures, log=log, once=True, pause=pause
            ).run()

    asyncio.run(run())

    assert (figures.records, figures.failures) == (50, 3)
    assert [line for _, line, _ in double.entries()] == [f"{n}" for n in range(50)]
    assert (tmp_path / ".ship-loki.json").exists()
