"""`make kill`: kills the daemon at random moments and looks whether what it acknowledged is there.

A real rsyslogd forwards by RELP all the while, and clients post by HTTP and send again what was
not answered. After each kill, before the next start, every record that was answered must be in
the files, on a whole line; in the end every record that was ever sent. By hand:
`python -m tests.e2e.kill --rounds 200`.
"""

import argparse
import contextlib
import http.client
import json
import random
import re
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.e2e.harness import DEADLINE_SECONDS, Daemon, lasting_ports
from tests.e2e.rsyslog import rsyslogd, write_numbers

SETTINGS = {
    "LOGOPS_UDP_PORT": "0",
    "LOGOPS_FSYNC": "always",
    "LOGOPS_SINK_MAX_BYTES": "1MiB",  # so that kills also meet the change to a new file
}
FORWARD = """
*.* action(
  type="omrelp" target="127.0.0.1" port="{port}" template="RSYSLOG_SyslogProtocol23Format"
  action.resumeRetryCount="-1" action.resumeInterval="0"
)
"""
CLIENTS = 4
BATCH = 20  # records of a request, at most
LARGE = 0.1  # share of the requests that are large: a kill may tear what they write
PAD_BYTES = 20_000
MESSAGES = 500  # given to rsyslogd each round
LIFE_SECONDS = 0.6  # of a daemon that is ready, at most
STARTING = 0.15  # share of the rounds in which it is killed while it starts
START_SECONDS = 0.6
RETRY_SECONDS = 0.01

_NUMBER = re.compile(rb'"msg":"(http \d+ \d+|message number \d+ of many)"')


class Client(threading.Thread):
    """Posts numbered records one request after the other, each until it is answered."""

    def __init__(self, name: int, address: tuple[str, int], seed: int) -> None:
        super().__init__(name=f"client {name}")
        self.acknowledged: list[bytes] = []
        self.repeated = 0
        self.ending = threading.Event()
        self._address = address
        self._label = name
        self._chance = random.Random(seed)
        self._next = 0

    def run(self) -> None:
        """Go on until told to end; the last request is answered before that."""
        while not self.ending.is_set():
            count = self._chance.randint(1, BATCH)
            texts = [f"http {self._label} {n}" for n in range(self._next, self._next + count)]
            self._next += count
            pad = "x" * (PAD_BYTES if self._chance.random() < LARGE else 0)
            body = json.dumps([{"msg": text, "pad": pad} for text in texts])
            self._post_until_answered(body.encode())
            self.acknowledged += map(str.encode, texts)

    def _post_until_answered(self, body: bytes) -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not self._post(body):
            self.repeated += 1
            time.sleep(RETRY_SECONDS)
            assert time.monotonic() < deadline, "the daemon does not come back"

    def _post(self, body: bytes) -> bool:
        """One attempt, on a connection of its own."""
        connection = http.client.HTTPConnection(*self._address, timeout=DEADLINE_SECONDS)
        with contextlib.closing(connection):
            try:
                headers = {"Content-Type": "application/json"}
                connection.request("POST", "/v1/logs", body, headers)
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                return False
            assert answer.status in (200, 503), answer.status
            return answer.status == 200


class Stored:
    """What stands in the files on whole lines; each byte is read once."""

    def __init__(self, directory: Path) -> None:
        self.found: Counter[bytes] = Counter()
        self._directory = directory
        self._read: dict[Path, int] = {}

    def look(self) -> None:
        """Read what was added, up to the last whole line."""
        for path in sorted(self._directory.glob("*.ndjson")):
            with path.open("rb") as file:
                file.seek(self._read.get(path, 0))
                data = file.read()
            whole = data[: data.rfind(b"\n") + 1]
            self._read[path] = self._read.get(path, 0) + len(whole)
            for line in whole.splitlines():
                json.loads(line)
                self.found.update(_NUMBER.findall(line))


@dataclass
class Figures:
    """What was seen.

    Attributes:
        kills: how many.
        starting: of these, before the daemon was ready.
        unanswered: kills at which a request was under way that had to be sent again.
        acknowledged: records answered over HTTP.
        forwarded: records of rsyslogd.
        doubled: records stored more than once, as their answer was lost.
        torn: last lines that were set aside at a start.
        missing: acknowledged and not in the files: none, or the test has failed.
    """

    kills: int = 0
    starting: int = 0
    unanswered: int = 0
    acknowledged: int = 0
    forwarded: int = 0
    doubled: int = 0
    torn: int = 0
    missing: list[bytes] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"killed {self.kills} times, {self.starting} while it started, {self.unanswered} "
            f"amid requests; {self.acknowledged} records acknowledged over HTTP and "
            f"{self.forwarded} forwarded by RELP, {len(self.missing)} missing, {self.doubled} "
            f"doubled, {self.torn} torn lines set aside"
        )


def kill_rounds(
    directory: Path, rounds: int, *, seed: int, settings: Mapping[str, str] | None = None
) -> Figures:
    """Kill a daemon again and again.

    Args:
        directory: of the daemon and rsyslogd; empty.
        rounds: how often.
        seed: of the moments.
        settings: more of them.
    """
    chance = random.Random(seed)
    ports = lasting_ports("relp", "http", "tcp")
    daemon = Daemon(directory / "daemon", {**SETTINGS, **ports, **(settings or {})}).start()
    source = directory / "numbers.txt"
    source.touch()
    figures = Figures()
    stored = Stored(daemon.sink)
    clients = [Client(n, daemon.address("http"), seed + n) for n in range(CLIENTS)]
    with rsyslogd(
        directory / "rsyslog",
        source,
        modules='module(load="omrelp")',
        action=FORWARD.format(port=daemon.port("relp")),
    ):
        for client in clients:
            client.start()
        try:
            for number in range(rounds):
                write_numbers(source, range(number * MESSAGES, (number + 1) * MESSAGES))
                _kill_once(daemon, clients, stored, figures, chance)
        finally:
            for client in clients:
                client.ending.set()
            for client in clients:
                client.join()
        figures.forwarded = rounds * MESSAGES
        messages = {b"message number %d of many" % n for n in range(figures.forwarded)}
        try:
            _wait_for(daemon, stored, messages)
            assert daemon.stop() == 0
        finally:
            daemon.end()
    _take_stock(daemon, clients, stored, figures)
    figures.missing += messages - stored.found.keys()
    return figures


def _kill_once(
    daemon: Daemon, clients: list[Client], stored: Stored, figures: Figures, chance: random.Random
) -> None:
    """Kill, look, start again; in some rounds kill once more while it starts."""
    time.sleep(chance.uniform(0, LIFE_SECONDS))
    _kill(daemon, clients, stored, figures)
    if chance.random() < STARTING:
        daemon.spawn()
        time.sleep(chance.uniform(0, START_SECONDS))
        figures.starting += not daemon.events("ready")
        _kill(daemon, clients, stored, figures)
    daemon.start()
    figures.torn += len(daemon.events("torn line set aside"))


def _kill(daemon: Daemon, clients: list[Client], stored: Stored, figures: Figures) -> None:
    repeated = sum(client.repeated for client in clients)
    daemon.signal(signal.SIGKILL)
    daemon.wait_exit()
    figures.kills += 1
    # Nobody answers now; what was answered until here must be there.
    acknowledged = {text for client in clients for text in list(client.acknowledged)}
    stored.look()
    figures.missing += acknowledged - stored.found.keys()
    assert not figures.missing, figures.missing[:5]
    figures.unanswered += sum(client.repeated for client in clients) > repeated


def _wait_for(daemon: Daemon, stored: Stored, texts: set[bytes]) -> None:
    def all_there() -> bool:
        stored.look()
        return texts <= stored.found.keys()

    daemon.wait_for(all_there, "what rsyslogd was given")


def _take_stock(daemon: Daemon, clients: list[Client], stored: Stored, figures: Figures) -> None:
    """Look at the files once more, when nobody writes to them."""
    daemon.records()  # each line is whole
    stored.look()
    acknowledged = [text for client in clients for text in client.acknowledged]
    figures.acknowledged = len(acknowledged)
    figures.missing += set(acknowledged) - stored.found.keys()
    figures.doubled = sum(count - 1 for count in stored.found.values())
    assert daemon.unexpected() == []


def main() -> int:
    """Run it and print the figures; the status is 1 if something was missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200, help="how often to kill, default 200")
    parser.add_argument("--seed", type=int, default=1, help="of the moments, default 1")
    args = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="logopsd-kill-") as directory:
        figures = kill_rounds(Path(directory), args.rounds, seed=args.seed)
    print(f"{figures}; {time.monotonic() - began:.0f} s")
    return 1 if figures.missing else 0


if __name__ == "__main__":
    sys.exit(main())
