"""`logopsd doctor`: checks this host for what would keep the daemon from its work."""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from logopsd.commands import findings, keeping, ports, probe, sender_configs, terminal
from logopsd.commands.findings import Finding, ok, problem, warning
from logopsd.commands.ports import Running
from logopsd.commands.status import SidePort
from logopsd.compiled import IS_COMPILED
from logopsd.config import Effective, Settings, describe
from logopsd.errors import LogopsError, SettingsError

HEALTHY = 0
PROBLEMS = 1


def run(
    args: argparse.Namespace,
    effective: Callable[[], Effective],
    side_port: Callable[[Settings], SidePort],
) -> int:
    """Check everything, or print a configuration.

    Args:
        args: of the command line.
        effective: reads the settings; SettingsError where they cannot be used.
        side_port: the daemon's; LogopsError where it has none.

    Returns:
        The exit status: PROBLEMS where there is one.

    Raises:
        LogopsError: there is no input for the sender asked for.
        SettingsError: the same of the settings, which a configuration needs.
    """
    if args.config:
        text, notes = sender_configs.configuration(args.config, effective().settings, args.host)
        sys.stdout.write(text)
        sys.stdout.flush()
        sys.stderr.write("".join(f"logopsd: {note}\n" for note in notes))
        return HEALTHY
    found: list[Finding] = []
    colour = terminal.wants_colour(args.color, sys.stdout, os.environ)
    width = terminal.columns(sys.stdout)
    for finding in examine(effective, side_port, time.time(), messages=not args.no_message):
        found.append(finding)
        if not args.json:  # each as it is found: a message may take seconds
            for line in findings.lines(finding, colour=colour, width=width):
                sys.stdout.write(line + "\n")
            sys.stdout.flush()
    summary = findings.summary(found)
    if args.json:
        sys.stdout.write(json.dumps(summary, indent=2) + "\n")
    else:
        sys.stdout.write(f"\nproblems: {summary['problems']}, warnings: {summary['warnings']}\n")
    return PROBLEMS if summary["problems"] else HEALTHY


def examine(
    effective: Callable[[], Effective],
    side_port: Callable[[Settings], SidePort],
    now: float,
    *,
    messages: bool,
) -> Iterator[Finding]:
    """Check one thing after the other.

    Args:
        effective: as above.
        side_port: as above.
        now: seconds since the epoch.
        messages: whether to send test messages.
    """
    try:
        read = effective()
    except SettingsError as error:
        for each in error.problems:
            text, _, mend = each.rpartition("; ")
            mend = mend if text else "mend it; logopsd check says whether all is well then"
            yield problem("settings", text or each, mend)
        return
    settings = read.settings
    where = str(read.env_file) if read.env_file.exists() else "the environment and the defaults"
    yield ok("settings", f"all {len(list(describe()))} valid, from {where}")
    yield _compiled()
    running, finding = _daemon(settings, side_port)
    yield finding
    yield from ports.check_ports(settings, running)
    yield from ports.check_buffer(settings, running)
    yield from _each_error_told("key", lambda: keeping.check_key(settings))
    yield from keeping.check_certificates(settings, now)
    yield from _each_error_told("clock", lambda: keeping.check_clock(settings.sink_dir, now))
    yield from _each_error_told("directory", lambda: keeping.check_directory(settings, running))
    yield from _each_error_told("free space", lambda: keeping.check_room(settings, now))
    yield from keeping.check_descriptors(settings, running)
    if running is not None and messages:
        yield from probe.check_messages(settings)


def _compiled() -> Finding:
    """Say whether this is the fast build."""
    if IS_COMPILED:
        return ok("build", "the hot way is compiled")
    mend = "install gcc and python3-dev, then logopsd anew; it works without, but slower"
    return warning("build", "pure Python, nothing is compiled", mend)


def _daemon(
    settings: Settings, side_port: Callable[[Settings], SidePort]
) -> tuple[Running, Finding]:
    """Ask the daemon how it fares."""
    start = "start it: systemctl start logopsd; ports and files are checked all the same"
    try:
        port = side_port(settings)
        status = port.status()
    except LogopsError as error:
        return None, warning("daemon", f"none answers: {error}".partition(": start")[0], start)
    text = f"{status['version']} answers at {port.url}"
    if status["state"] != "receiving":
        text += f", and is not receiving: {status['state']}"
        mend = "mend what it says; it goes on by itself"
        return status, problem("daemon", text, mend)
    return status, ok("daemon", text)


def _each_error_told(check: str, run: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """What a check cannot look at is a finding too."""
    try:
        yield from run()
    except OSError as error:
        where = Path(error.filename or "").name
        yield problem(
            check, f"{error.strerror}: {where}", "run the doctor as the daemon's user, or as root"
        )
