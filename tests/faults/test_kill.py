"""A writing process is killed at random moments, again and again, in the same directory."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from logopsd.sinks.ndjson import NdjsonSink
from tests.sinks.helpers import Observer, at_once

ROUNDS = 12
DAY = "20261123"
ROOT = Path(__file__).parents[2]

WRITER = """
import os, sys, threading
from pathlib import Path
from logopsd.records import Receipt
from logopsd.sinks.ndjson import NdjsonSink
from tests.sinks.helpers import Observer, at_once

room = threading.Semaphore(50)
def stored(first):
    os.write(1, b"%d\\n" % first)
    room.release()

sink = NdjsonSink(directory=Path(sys.argv[1]), max_file_bytes=200_000, fsync="always",
                  deliver=at_once, observer=Observer())
sink.open()
first = int(sys.argv[2])
while True:
    room.acquire()
    lines = [b'{"n":%d,"x":"%s"}\\n' % (n, b"x" * (n % 3000)) for n in range(first, first + 10)]
    sink.write(b''.join(lines), sys.argv[3], Receipt("tcp", 10, lambda first=first: stored(first)))
    first += 10
"""


@pytest.mark.parametrize("seed", [1])
def test_what_had_a_receipt_is_in_the_files_whole(tmp_path: Path, seed: int) -> None:
    """After each kill the next start mends what was torn; all lines are JSON, none is missing."""
    rng = random.Random(seed)
    receipted: set[int] = set()
    for number in range(ROUNDS):
        first = number * 1_000_000
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(first), DAY],
            stdout=subprocess.PIPE,
            cwd=ROOT,
            text=True,
        ) as process:
            assert process.stdout is not None
            told = [process.stdout.readline() for _ in range(rng.randrange(1, 120))]
            process.kill()
            told.extend(process.stdout)
        for text in told:
            assert text.endswith("\n")
            receipted.update(range(int(text), int(text) + 10))
    observer = Observer()
    sink = NdjsonSink(
        directory=tmp_path, max_file_bytes=0, fsync="always", deliver=at_once, observer=observer
    )
    sink.open()
    assert sink.close(20)
    found: list[int] = []
    for path in tmp_path.glob("*.ndjson"):
        records = [json.loads(text) for text in path.read_bytes().splitlines()]
        found.extend(record["n"] for record in records if "n" in record)
    assert receipted <= set(found)
    assert len(found) == len(set(found))
