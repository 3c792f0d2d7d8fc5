"""What the daemon does not do before READY, so that it is ready soon (docs/performance.md)."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]

LATER = {
    # For the first scrape, which comes when it comes.
    *("prometheus_client", "http.server", "urllib.request", "email.message"),
    # For who asks by the command line or by a file of settings.
    *("argparse", "difflib", "dotenv"),
    # For what only some settings ask for, or a name in the place of an address.
    *("cryptography", "nats", "secrets", "zipfile", "encodings.idna"),
    *("logopsd.listeners.tls", "logopsd.listeners.tls_server", "logopsd.listeners.http.tokens"),
    *("logopsd.listeners.relp", "logopsd.listeners.multiline_connection", "logopsd.workers"),
    *("logopsd.bus.messages", "logopsd.shipping.shipper", "logopsd.shipping.unshipped"),
    *("logopsd.sinks.fanout", "logopsd.sinks.stdout", "logopsd.retention.archive"),
}
"""Modules that take their time; each is imported where it is needed."""

AT_START = 50
"""Patterns compiled until then, at most: those of the settings, and where detectors look closer.
There are more than two hundred."""

READY = """
import json, os, sys
from logopsd import cli, daemon, patterns
say = daemon.Daemon._say
def told(self, event, **fields):
    say(self, event, **fields)
    if event == "ready":
        compiled = [each._source for each in patterns._WAITING if each._compiled is not None]
        print(json.dumps({"modules": [*sys.modules], "compiled": len(compiled)}), flush=True)
        os._exit(0)
daemon.Daemon._say = told
sys.exit(cli.main(sys.argv[1:]))
"""


def state_when_ready(directory: Path, *arguments: str, **settings: str) -> dict[str, Any]:
    """Start the daemon on free ports in a process of its own; return what it had done by READY."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith("LOGOPS_")}
    ports = ("UDP", "TCP", "HTTP", "METRICS")
    environ |= {"PYTHONPATH": str(ROOT)} | {f"LOGOPS_{port}_PORT": "any" for port in ports}
    done = subprocess.run(
        [sys.executable, "-c", READY, *arguments],
        env=environ | settings,
        cwd=directory,
        check=True,
        stdout=subprocess.PIPE,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("arguments", [(), ("serve",)])
def test_what_not_every_daemon_needs_is_not_imported(tmp_path: Path, arguments: tuple[str]) -> None:
    """A new import at the top of a module brings it back."""
    assert LATER.isdisjoint(state_when_ready(tmp_path, *arguments)["modules"])


def test_what_the_settings_ask_for_is_imported(tmp_path: Path) -> None:
    """The names above are those of modules that there are."""
    (tmp_path / "env").write_text("LOGOPS_SINK_STDOUT=true\n")
    found = state_when_ready(tmp_path, "--env-file", "env", "serve", LOGOPS_RELP_PORT="any")
    assert LATER & {*found["modules"]} == {
        *("dotenv", "logopsd.listeners.relp"),
        *("logopsd.sinks.fanout", "logopsd.sinks.stdout"),
    }


def test_patterns_of_lines_are_not_compiled(tmp_path: Path) -> None:
    """A pattern that is compiled where its module is imported costs every start 0.3 ms."""
    assert 0 < state_when_ready(tmp_path)["compiled"] <= AT_START
