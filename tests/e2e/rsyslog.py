"""An rsyslogd of our own that forwards the lines of a file."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.harness import Daemon, need, process

MESSAGES = 1000

_CONFIG = """
global(workDirectory="{work}" localHostname="sender-1" {more})
# One worker: more of them reorder what they forward.
main_queue(queue.workerThreads="1")
module(load="imfile")
{modules}
input(type="imfile" File="{source}" Tag="numbers:" Severity="notice" Facility="local3")
{action}
"""


@contextmanager
def rsyslogd(
    directory: Path, source: Path, *, action: str, modules: str = "", more: str = ""
) -> Iterator[None]:
    """Run it.

    Args:
        directory: its own, to be made.
        source: every line of this file is forwarded, also those that are added to it.
        action: what to do with each message, in RainerScript.
        modules: to be loaded beside imfile.
        more: parameters of global().
    """
    program = need("rsyslogd")
    directory.mkdir()
    config = directory / "rsyslog.conf"
    config.write_text(
        _CONFIG.format(work=directory, source=source, modules=modules, more=more, action=action)
    )
    command: list[str | Path] = [program, "-n", "-f", config, "-i", directory / "rsyslogd.pid"]
    with process(command, directory / "output.log"):
        yield


def write_numbers(source: Path, numbers: Sequence[int]) -> None:
    """Append a message a number."""
    with source.open("a") as lines:
        lines.writelines(f"message number {number} of many\n" for number in numbers)


def numbers_in(daemon: Daemon) -> list[int]:
    """Return the numbers of the messages stored, in order, also those doubled."""
    return [int(each) for each in re.findall(rb"message number (\d+)", daemon.raw())]


def wait_numbers(daemon: Daemon, numbers: Sequence[int]) -> list[int]:
    """Wait until all of these messages are stored; return all numbers as in numbers_in."""
    wanted = set(numbers)
    daemon.wait_for(
        # To look for the numbers takes long: not before there are lines enough.
        lambda: daemon.stored() >= len(wanted) and wanted <= set(numbers_in(daemon)),
        f"the messages up to {max(numbers)}",
    )
    return numbers_in(daemon)
