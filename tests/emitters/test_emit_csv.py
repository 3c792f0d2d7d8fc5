"""CSV tables with gaps."""

import csv
import io
import random

from emitters.emit_csv import row, table
from tests.emitters.helpers import http_receiver, run


def test_the_table_has_a_header_row_and_every_record() -> None:
    """The body is text/csv with the columns ts, level and msg, and a row a record."""
    with http_receiver() as receiver:
        run("emit_csv", "-n", "40", "--seed", "1", "--partial-ratio", "0", "--url", receiver.url)

    (request,) = receiver.requests
    rows = list(csv.DictReader(io.StringIO(request.body.decode(), newline="")))
    assert request.content_type == "text/csv"
    assert len(rows) == 40
    assert all(made["ts"] and made["level"] and made["msg"] for made in rows)


def test_partial_ratio_empties_cells() -> None:
    """With a ratio of 1 time and level are empty cells, and the message stays."""
    for seed in range(20):
        ts, level, msg = row(random.Random(seed), 1.0)

        assert (ts, level) == ("", "")
        assert msg


def test_awkward_messages_survive_the_table() -> None:
    """Commas, quotes and line breaks in a message come out of a CSV reader as they went in."""
    rows = [row(random.Random(seed), 0.5) for seed in range(50)]

    read = list(csv.reader(io.StringIO(table(rows).decode(), newline="")))

    assert rows == [tuple(cells) for cells in read[1:]]
    assert any("\n" in made[2] for made in rows)
    assert any('"' in made[2] for made in rows)
