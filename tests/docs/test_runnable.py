"""What the documentation tells to type does what it says, in a fresh directory.

The blocks of a page run in order in one directory, beside one daemon on free ports, which stand
in place of those on the page.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from logopsd.record_schema import schema
from tests.docs.runnable import Step, blocks, lacks
from tests.e2e.harness import PACKAGES, ROOT, Daemon, clean_environment, need

pytestmark = pytest.mark.e2e

PAGES = [page for page in (ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))) if blocks(page)]
PORTS = {"5514": "udp", "8080": "http", "9514": "metrics"}
"""The ports on the pages, and whose they are; on the pages 5514 is used for datagrams."""

HOME = "/srv/logopsd"  # where the pages have the daemon's directory


def here(text: str, daemon: Daemon | None, directory: Path) -> str:
    """Put the ports and the directory of the test in place of those of the page."""
    if daemon is not None:
        for port, name in PORTS.items():
            text = re.sub(rf"\b{port}\b", daemon.port(name), text)
    return text.replace(HOME, str(directory))


def run(step: Step, env: dict[str, str], directory: Path, daemon: Daemon | None) -> None:
    """Run one step; it must end well, and print what the page shows."""
    command = here(step.command, daemon, directory)
    for program in PACKAGES:
        if re.search(rf"(?:^|[|;&] *){program} ", command, re.MULTILINE):
            need(program)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=directory,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    shown = [here(line, daemon, directory) for line in step.shown]
    assert lacks(shown, done.stdout) is None, (command, done.stdout)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_blocks_of_a_page_do_what_they_say(page: Path, tmp_path: Path) -> None:
    """Each command ends with status 0, prints what is shown, and leaves settings that are good."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "logopsd").write_text(f'#!/bin/sh\nexec {sys.executable} -m logopsd "$@"\n')
    (programs / "logopsd").chmod(0o755)
    (programs / "check-jsonschema").symlink_to(Path(sys.executable).with_name("check-jsonschema"))
    directory = tmp_path / "logopsd"
    directory.mkdir()
    (directory / "docs").symlink_to(ROOT / "docs")
    env = clean_environment({"PATH": f"{programs}:{os.environ['PATH']}"})
    daemon = Daemon(directory)
    try:
        if any(block.daemon for block in blocks(page)):
            daemon.start()
        for block in blocks(page):
            for step in block.steps:
                run(step, env, directory, daemon if block.daemon else None)
    finally:
        daemon.end()
    run(Step("logopsd check", ["settings ok"]), env, directory, None)
    validator = jsonschema.Draft202012Validator(schema())
    for line in daemon.raw().splitlines():
        validator.validate(json.loads(line))


def test_quickstart_and_readme_are_run() -> None:
    """The commands that everyone types first."""
    assert {ROOT / "README.md", ROOT / "docs" / "quickstart.md"} <= set(PAGES)


def test_a_marker_stands_before_a_block() -> None:
    """No marker is misspelt, or stands elsewhere, so that its block would not be run."""
    for page in (ROOT / "README.md", *ROOT.glob("docs/**/*.md")):
        text = re.sub(r"`[^`\n]*`", "", page.read_text())
        assert text.count("<!-- runnable") == len(blocks(page)), page


def test_what_is_not_printed_is_told() -> None:
    """A line that is shown and was not printed fails a page; a time may be another."""
    assert lacks(["a", "c"], "a\nb\nc\n") is None
    assert lacks(["c", "a"], "a\nb\nc\n") == "a"
    assert lacks(['{"ts":"2026-11-23T17:24:23.631Z"}'], '{"ts":"2030-01-01T00:00:00Z"}\n') is None
