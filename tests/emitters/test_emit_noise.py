"""Objects as nobody should send them."""

import json
import random

from emitters.emit_noise import LEVEL_NAMES, TEXT_NAMES, TIME_NAMES, record
from tests.emitters.helpers import http_receiver, run


def test_without_chaos_only_the_aliases_vary() -> None:
    """With a chaos of 0 each record has a time, a level and a text under one of their names."""
    texts = set()
    for seed in range(100):
        made = record(random.Random(seed), 0.0)
        time, level, text = made
        texts.add(text)

        assert time in TIME_NAMES
        assert level in LEVEL_NAMES
        assert all(isinstance(value, str) for value in made.values())
    assert set(TEXT_NAMES) == texts


def test_chaos_brings_gaps_wrong_types_and_nesting() -> None:
    """With a chaos of 1 there are records without text, texts that are none, and deep objects."""
    records = [record(random.Random(seed), 1.0) for seed in range(300)]

    texts = [[made[name] for name in TEXT_NAMES if name in made] for made in records]
    assert [] in texts
    assert any(text and not isinstance(text[0], str) for text in texts)
    assert any(isinstance(value, dict | list) for made in records for value in made.values())


def test_what_is_sent_is_json_all_the_same() -> None:
    """However strange the records, the body is a valid JSON list, the same for the same seed."""
    with http_receiver() as receiver:
        for _ in range(2):
            done = run(
                "emit_noise", "-n", "200", "--chaos", "1", "--seed", "5", "--url", receiver.url
            )
            assert done.returncode == 0

    first, second = (json.loads(request.body) for request in receiver.requests)
    assert len(first) == 200
    assert [list(made) for made in first] == [list(made) for made in second]
