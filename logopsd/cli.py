"""The command line: `logopsd serve | check | status | tail | doctor | keygen | decrypt | ...`.

What a command needs is imported when it runs: `--help` and a refused setting must not wait for
cryptography, and the daemon must be up within 300 ms.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from logopsd import __version__
from logopsd.commands.exit_status import CONFIG, FAILURE, INTERRUPTED, OK, USAGE
from logopsd.commands.terminal import complain
from logopsd.errors import LogopsError, SettingsError

if TYPE_CHECKING:
    import argparse

    from logopsd.commands.status import SidePort
    from logopsd.config import Effective, Settings

OTHERS_MAY_READ = 0o044

_OWN_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # looked up, not bound

_DESCRIPTION = "Receives logs of any sender, masks personal data, and writes one file a day."

_DECRYPT = (
    "Print stored lines with the originals in the place of the masked. Who did so, of which files "
    "and how many, goes to standard error and to syslog."
)

_REKEY = (
    "Move the tokens of stored files, and the keys of days, under the primary key. A file is "
    "replaced at once; who tails it sees a new one."
)

_EPILOG = """\
settings:
  come from the environment and from .env in the working directory, names LOGOPS_...;
  the environment goes first. `logopsd check --print` shows each, and where it comes from.

examples:
  logopsd                                    start with what is set, or with the defaults
  LOGOPS_TCP_PORT=0 logopsd                  the same without syslog over TCP
  logopsd --env-file /etc/logopsd/env check  validate, start nothing
  logopsd status                             what the running daemon receives and drops
  logopsd keygen                             make a key for LOGOPS_SECRET_KEY
  logopsd tail --level warn --since 5m       what was stored, as it comes
  logopsd ship --to nats://host:4222         send what is stored on to a JetStream stream
  logopsd doctor                             what would keep the daemon from its work
  logopsd decrypt --grep 'jan@' 20261123.ndjson
                                             the originals, for who has the key; it is audited
  logopsd replay --since 2h --to http://10.0.0.7:8080
                                             what was stored since then, to another receiver
  logopsd rekey data/ingest/202611*.ndjson   move stored tokens under a new key
  logopsd housekeep --dry-run                what retention would do now

exit status:
  0   done, or stopped as asked by SIGTERM or Ctrl-C
  1   something failed at run time, no daemon answers, or doctor found a problem
  2   the command line is wrong
  3   decrypt or rekey met a token that no key at hand opens, or replay a line that is no
      record or that the receiver refused; all else is done
  78  the settings cannot be used; every problem is listed
"""


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns the exit status, and leaves no traceback for what is foreseen."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return _run(argv)
    except SettingsError as error:
        complain("the settings cannot be used:", *(f"  {each}" for each in error.problems))
        return CONFIG
    except LogopsError as error:
        complain(str(error))
    except BrokenPipeError:
        _silence_stdout()  # the reader left, as in `| head`; it has what it wanted
    except OSError as error:
        _silence_stdout()
        complain(f"{error.strerror}: {error.filename or 'standard output'}")
    except KeyboardInterrupt:
        return INTERRUPTED
    return FAILURE


def _run(argv: list[str] | None) -> int:
    arguments = sys.argv[1:] if argv is None else argv
    status: int
    try:
        match arguments:
            # As services start it: making the parser of all commands is 8 % of the start.
            case [] | ["serve"]:
                status = _serve(None)
            case ["--env-file", file] | ["--env-file", file, "serve"] if file[:1] != "-":
                status = _serve(Path(file))
            case _:
                args = make_parser().parse_args(arguments)
                status = args.run(args)
    except SystemExit as ended:  # argparse's --help, --version and usage errors
        status = ended.code if isinstance(ended.code, int) else USAGE
    sys.stdout.flush()  # here, where an error can still be told
    return status


def _silence_stdout() -> None:
    """Python flushes standard output once more at exit, and would complain; give it a sink."""
    with contextlib.suppress(OSError, ValueError):
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, sys.stdout.fileno())
        os.close(sink)


def make_parser() -> "argparse.ArgumentParser":
    """The parser of the whole command line."""
    import argparse

    from logopsd.commands.arguments import (
        add_color,
        add_completion,
        add_decrypt,
        add_doctor,
        add_housekeep,
        add_rekey,
        add_replay,
        add_ship,
        add_tail,
    )

    common = argparse.ArgumentParser(add_help=False)
    # SUPPRESS: the option may stand before or behind the command, and neither unsets the other.
    common.add_argument(
        "--env-file",
        type=Path,
        metavar="FILE",
        default=argparse.SUPPRESS,
        help="read settings from FILE in place of .env in the working directory",
    )
    parser = argparse.ArgumentParser(
        prog="logopsd",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        parents=[common],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"logopsd {__version__}")
    parser.set_defaults(run=_serve_as_asked)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    def command(
        name: str, run: "Callable[[argparse.Namespace], int]", text: str
    ) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text, parents=[common])
        made.set_defaults(run=run)
        return made

    command("serve", _serve_as_asked, "Start the daemon (what happens without a command).")
    check = command("check", _check, "Validate the settings and start nothing.")
    check.add_argument(
        "--print",
        action="store_true",
        dest="show",
        help="show each effective setting and where it comes from; secrets as ***",
    )
    status = command("status", _status, "Show what the running daemon receives, stores and drops.")
    status.add_argument(
        "--url",
        type=_side_port,
        metavar="URL",
        help="side port of the daemon; where not given, that of the settings",
    )
    status.add_argument("--sources", action="store_true", help="show the table of senders")
    status.add_argument("--json", action="store_true", help="print JSON in place of a table")
    add_color(status)
    replay = "Read a range of time back from files, archives or a stream, to where it is wanted."
    add_replay(command("replay", _replay, replay))
    add_tail(command("tail", _tail, "Follow the records as they are stored, after masking."))
    ship = "Send what is stored on to NATS JetStream or Loki, and what comes as it is stored."
    add_ship(command("ship", _ship, ship))
    doctor = "Check this host for all the daemon needs, or print what to paste into a sender."
    add_doctor(command("doctor", _doctor, doctor))
    completion = "Print completion for a shell; for bash: source <(logopsd completion bash)."
    add_completion(command("completion", _completion, completion))
    command("keygen", _keygen, "Print a new key for LOGOPS_SECRET_KEY.")
    add_decrypt(command("decrypt", _decrypt, _DECRYPT))
    add_rekey(command("rekey", _rekey, _REKEY))
    add_housekeep(command("housekeep", _housekeep, "Delete or archive old files now."))
    return parser


def _effective(args: "argparse.Namespace") -> "Effective":
    from logopsd.config import read

    return read(os.environ, env_file=getattr(args, "env_file", None), directory=Path.cwd())


def _serve_as_asked(args: "argparse.Namespace") -> int:
    return _serve(getattr(args, "env_file", None))


def _serve(env_file: Path | None) -> int:
    from logopsd.config import Source

    source = Source(os.environ, env_file=env_file, directory=Path.cwd())
    from logopsd import daemon, log
    from logopsd.assembly.limits import worker_count
    from logopsd.chores.reload import Reloader

    settings = source.effective.settings
    threshold = log.Threshold(settings.log_level)
    instance = log.new_instance()
    own = log.configure(threshold, settings.log_format, instance=instance)
    log.take_over(own)
    try:
        reloader = Reloader(source, threshold)
        if (count := worker_count(settings.workers)) > 1:
            from logopsd.workers import supervisor

            return supervisor.run(source, count, own, reloader=reloader, own_log=instance)
        return daemon.run(settings, own, reloader=reloader, own_log=instance)
    except LogopsError:
        raise
    except Exception as error:
        # Not by a traceback: that would show the exception's text, and with it perhaps a message.
        own.error("crashed", exc_info=error)
        return FAILURE


def _check(args: "argparse.Namespace") -> int:
    effective = _effective(args)
    if problems := list(_unusable(effective.settings)):
        raise SettingsError(problems)
    _warn_of_readers(effective)
    print("settings ok")
    if args.show:
        print("\n".join(_listing(effective)))
    return OK


def _unusable(settings: "Settings") -> Iterator[str]:
    """What would fail at start although the settings themselves are fine."""
    if settings.tls_port is not None or settings.relp_tls:
        yield from _unusable_certificates(settings)
    if settings.ship_to is not None:
        yield from _unusable_shipping(settings)
    directories = []
    if settings.sink_file:
        directories.append(("LOGOPS_SINK_DIR", settings.sink_dir))
    if settings.archive_mode == "zip":
        directories.append(("LOGOPS_ARCHIVE_DIR", settings.archive_dir))
    if settings.key_per_day:
        directories.append(("LOGOPS_KEY_DIR", settings.key_dir))
    for name, directory in directories:
        # It is made at start where it is missing; a check changes nothing.
        there = next(each for each in (directory, *directory.parents) if os.path.exists(each))
        if not there.is_dir():
            yield f"{name}: {there} is not a directory; choose another"
        elif not os.access(there, os.W_OK | os.X_OK):
            yield f"{name}: {there} is not writable; mend its permissions, or choose another"


def _unusable_certificates(settings: "Settings") -> Iterator[str]:
    from logopsd.assembly.tls import tls_files
    from logopsd.listeners.tls import load

    try:
        files = tls_files(settings)
        assert files is not None
        load(files)
    except SettingsError as error:
        yield from error.problems


def _unusable_shipping(settings: "Settings") -> Iterator[str]:
    from logopsd.assembly.shipping import target

    try:
        assert settings.ship_to is not None
        target(settings.ship_to, settings)
    except SettingsError as error:
        yield from error.problems


def _warn_of_readers(effective: "Effective") -> None:
    """A key that stands in a file should be readable by its owner alone."""
    from logopsd.config import ENVIRONMENT, describe

    paths = []
    secrets = (effective.given[s.attribute] for s in describe() if s.secret)
    if any(given.text and given.where != ENVIRONMENT for given in secrets):
        paths.append(effective.env_file)
    if effective.settings.secret_key_file is not None:
        paths.append(effective.settings.secret_key_file.path)
    for path in paths:
        if path.stat().st_mode & OTHERS_MAY_READ:
            complain(f"warning: others may read the key in {path}; mend: chmod 600 {path}")


def _listing(effective: "Effective") -> Iterator[str]:
    """`NAME=value  # source`, under a heading for each group."""
    from logopsd.config import describe

    group = ""
    for setting in describe():
        if setting.group != group:
            group = setting.group
            yield f"\n# {group}"
        given = effective.given[setting.attribute]
        value = getattr(effective.settings, setting.attribute)
        text = str(value) if isinstance(value, Path) else given.text
        if setting.secret and text:
            text = "***"
        yield f"{f'{setting.name}={_printable(text)}':<48} # {given.where}"


def _printable(text: str) -> str:
    return text if text.isprintable() else ascii(text)


def _side_port(url: str) -> "SidePort":
    from logopsd.commands.status import SidePort

    try:
        return SidePort(url)
    except ValueError as error:
        from argparse import ArgumentTypeError  # where it is raised it is loaded

        raise ArgumentTypeError(str(error)) from None


def _side_port_of(settings: "Settings") -> "SidePort":
    """Where the settings have the daemon's side port."""
    if not settings.metrics_port:
        why = "is 0: the daemon has no side port" if settings.metrics_port is None else "is any"
        raise LogopsError(f"LOGOPS_METRICS_PORT {why}; set one, or name a daemon's with --url")
    # What is bound to all addresses is reached at our own.
    host = _OWN_ADDRESS.get(settings.metrics_bind, settings.metrics_bind)
    return _side_port(f"http://{f'[{host}]' if ':' in host else host}:{settings.metrics_port}")


def _status(args: "argparse.Namespace") -> int:
    port = args.url or _side_port_of(_effective(args).settings)
    import json
    import time

    from logopsd.commands import status_table, terminal

    if args.json:
        found = port.status()
        if args.sources:
            found["sources"] = port.sources()
        print(json.dumps(found, indent=2))
        return OK
    colour = terminal.wants_colour(args.color, sys.stdout, os.environ)
    if args.sources:
        width = terminal.columns(sys.stdout)
        lines = status_table.source_lines(port.sources(), colour=colour, width=width)
    else:
        lines = status_table.status_lines(port.status(), time.time(), colour=colour)
    for line in lines:
        print(line)
    return OK


def _tail(args: "argparse.Namespace") -> int:
    settings = _effective(args).settings
    if not settings.sink_file:
        raise LogopsError("LOGOPS_SINK_FILE is false: there are no files to follow")
    from logopsd.commands import tail

    return tail.run(args, settings.sink_dir)


def _replay(args: "argparse.Namespace") -> int:
    from logopsd.commands.replay import command

    return command.run(args, lambda: _effective(args).settings)


def _ship(args: "argparse.Namespace") -> int:
    from logopsd.commands import ship

    return ship.run(args, _effective(args).settings)


def _doctor(args: "argparse.Namespace") -> int:
    from logopsd.commands import doctor

    return doctor.run(args, lambda: _effective(args), _side_port_of)


def _completion(args: "argparse.Namespace") -> int:
    from logopsd.commands import completion

    print(completion.script(args.shell, make_parser()), end="")
    return OK


def _keygen(_: "argparse.Namespace") -> int:
    from logopsd.privacy.tokens import new_key

    print(new_key(os.urandom))
    return OK


def _decrypt(args: "argparse.Namespace") -> int:
    from logopsd.commands import tokens

    return tokens.decrypt(args, _effective(args).settings)


def _rekey(args: "argparse.Namespace") -> int:
    from logopsd.commands import tokens

    return tokens.rekey(args, _effective(args).settings)


def _housekeep(args: "argparse.Namespace") -> int:
    from logopsd.commands import housekeep

    return housekeep.run(args, _effective(args).settings)
