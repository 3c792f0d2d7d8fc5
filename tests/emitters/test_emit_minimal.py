"""Records of one field."""

import json
import random

from emitters.emit_minimal import record
from tests.emitters.helpers import http_receiver, run


def test_a_record_is_its_message() -> None:
    """Nothing but `msg` is sent, and it is text."""
    made = record(random.Random(1))

    assert list(made) == ["msg"]
    assert made["msg"]


def test_a_seed_gives_the_same_records() -> None:
    """There is no time in them: two runs with one seed send the same bytes."""
    with http_receiver() as receiver:
        for _ in range(2):
            run("emit_minimal", "-n", "9", "--seed", "3", "--url", receiver.url)

    first, second = (request.body for request in receiver.requests)
    assert first == second
    assert len(json.loads(first)) == 9
