"""Who opened how many tokens of which files: a line to standard error and to syslog.

It never holds what was revealed, nor what was searched for.
"""

import os
import pwd
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, TextIO

DEV_LOG: Final = Path("/dev/log")
"""Where syslogd or journald listens (syslog(3))."""

_AUTHPRIV_INFO: Final = 10 * 8 + 6
"""PRI of RFC 3164: the facility of private messages on who was let in, severity informational."""

_LOGIN_UID: Final = Path("/proc/self/loginuid")
_NO_LOGIN: Final = 2**32 - 1
"""The audit system's id of a process that comes from no login."""


class Audit:
    """Tells what a command did with tokens.

    Args:
        command: its name.
        stderr: where the last line is printed.
        environ: in which sudo says who called it.
        dev_log: the socket of syslog.
    """

    def __init__(
        self,
        command: str,
        stderr: TextIO,
        environ: Mapping[str, str],
        *,
        dev_log: Path = DEV_LOG,
    ) -> None:
        self._command = command
        self._stderr = stderr
        self._dev_log = dev_log
        self._who = (
            f"login_user={_quoted(login_user())} "
            f"sudo_user={_quoted(environ.get('SUDO_USER') or '-')} "
            f"user={_quoted(_name_of(os.geteuid()))} pid={os.getpid()}"
        )

    def began(self, files: Sequence[str]) -> None:
        """Tell syslog before the first token is opened: the end may never come (kill -9)."""
        self._send(self._line(files, "begins"))

    def ended(self, files: Sequence[str], counts: Mapping[str, int]) -> None:
        """Tell how many; to be called however the command ends."""
        figures = " ".join(f"{name}={count}" for name, count in counts.items())
        line = self._line(files, figures)
        self._send(line)
        print(f"logopsd: {line}", file=self._stderr)

    def _line(self, files: Sequence[str], what: str) -> str:
        names = ",".join(map(_quoted, files))
        return f"{self._command}: {self._who} {what} files={names}"

    def _send(self, line: str) -> None:
        """Send a line to syslog, where there is one; one that does not take it is told of."""
        if not self._dev_log.exists():
            return
        stamp = time.strftime("%b %e %H:%M:%S")
        data = f"<{_AUTHPRIV_INFO}>{stamp} logopsd[{os.getpid()}]: {line}".encode()
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
                sock.settimeout(1.0)
                sock.connect(str(self._dev_log))
                sock.send(data)
        except OSError as error:
            print(
                f"logopsd: warning: {self._dev_log} did not take the audit line: {error.strerror}",
                file=self._stderr,
            )


def login_user(read: Callable[[], str] = _LOGIN_UID.read_text) -> str:
    """Who logged in, whatever sudo or su made of it since; `-` where nobody did.

    Args:
        read: gives the text of /proc/self/loginuid.
    """
    try:
        uid = int(read())
        if uid != _NO_LOGIN:
            return _name_of(uid)
    except (OSError, ValueError):
        pass
    try:
        return os.getlogin()
    except OSError:  # no terminal
        return "-"


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _quoted(text: str) -> str:
    """A text that cannot begin a line or a field of its own."""
    shown = ascii(text)[1:-1]
    return f'"{shown}"' if set(shown) & set(' ",=') else shown
