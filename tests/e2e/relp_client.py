"""A plain RELP client of our own, for what librelp does not let one see."""

import re
import socket
from types import TracebackType

OFFERS = b"relp_version=0\nrelp_software=test,1\ncommands=syslog"

_answer = re.compile(rb"([0-9]+) rsp ([0-9]+) ?")


class RelpClient:
    """One session; it is open once made.

    Args:
        address: of the server.
        timeout: of each wait, seconds.
    """

    def __init__(self, address: tuple[str, int], timeout: float) -> None:
        self._sock = socket.create_connection(address, timeout=timeout)
        self._answers = self._sock.makefile("rb")
        self._txnr = 0
        self._waiting = bytearray()
        self._command(b"open", OFFERS)
        try:
            self.answered()
        except BaseException:
            self.__exit__(None, None, None)
            raise

    def __enter__(self) -> "RelpClient":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._answers.close()
        self._sock.close()

    def send(self, message: bytes) -> None:
        """Put a message beside the others, to be sent with the next call of flush."""
        self._command(b"syslog", message)

    def flush(self) -> None:
        """Send what waits."""
        self._sock.sendall(self._waiting)
        self._waiting.clear()

    def answered(self) -> int:
        """Send what waits, read one answer, which must be good, and return its number."""
        self.flush()
        line = self._answers.readline()
        found = _answer.match(line)
        assert found, line
        missing = int(found[2]) + found.end() + 1 - len(line) if int(found[2]) else 0
        text = line + self._answers.read(max(missing, 0))
        assert not int(found[2]) or text[found.end() :].startswith(b"200 OK"), text
        return int(found[1])

    def close(self) -> None:
        """Close the session, and wait until all is answered and the goodbye is said."""
        self._command(b"close", b"")
        while self.answered() != self._txnr:
            pass
        assert self.read_all() == b"0 serverclose 0\n"

    def read_all(self) -> bytes:
        """Read to the end of the connection."""
        return self._answers.read()

    def _command(self, command: bytes, data: bytes) -> None:
        self._txnr += 1
        space = b" " if data else b""
        self._waiting += b"%d %s %d%s%s\n" % (self._txnr, command, len(data), space, data)
