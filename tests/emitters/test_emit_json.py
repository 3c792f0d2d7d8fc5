"""Server-style records, some of them partial."""

import json
import random

import pytest

from emitters.emit_json import record
from tests.emitters.helpers import http_receiver, run


def test_whole_records_have_time_level_and_personal_data() -> None:
    """Without partial records each has all its fields, and something to mask in them."""
    records = [record(random.Random(seed), 0.0) for seed in range(50)]

    for made in records:
        assert {"timestamp", "level", "msg", "user_email", "client_ip"} <= made.keys()
        assert "@" in str(made["user_email"])
    assert any("@" in str(made["msg"]) for made in records)


def test_partial_ratio_leaves_out_time_or_level() -> None:
    """With a ratio of 1 each record lacks timestamp, level or both, and never its message."""
    records = [record(random.Random(seed), 1.0) for seed in range(50)]

    lacking = {frozenset({"timestamp", "level"} - made.keys()) for made in records}
    assert {
        frozenset({"timestamp"}),
        frozenset({"level"}),
        frozenset({"timestamp", "level"}),
    } == lacking
    assert all("msg" in made for made in records)


def test_a_seed_gives_the_same_records_but_for_their_time() -> None:
    """Two runs with one seed differ in their times only, and another seed gives others."""
    with http_receiver() as receiver:
        for seed in ("7", "7", "8"):
            run("emit_json", "-n", "20", "--seed", seed, "--url", receiver.url)

    first, second, other = (
        [{k: v for k, v in made.items() if k != "timestamp"} for made in json.loads(request.body)]
        for request in receiver.requests
    )
    assert first == second
    assert first != other
    assert receiver.requests[0].content_type == "application/json"


@pytest.mark.parametrize("bad", ["-0.1", "1.1", "half"])
def test_partial_ratio_must_be_a_share(bad: str) -> None:
    """A ratio outside 0 to 1 is refused."""
    assert run("emit_json", "--partial-ratio", bad).returncode == 2
