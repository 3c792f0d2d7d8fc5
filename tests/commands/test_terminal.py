import fcntl
import io
import os
import pty
import struct
import termios

import pytest

from logopsd.commands.terminal import columns, wants_colour


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@pytest.mark.parametrize(
    ("choice", "stream", "environ", "wanted"),
    [
        ("auto", Terminal(), {}, True),
        ("auto", io.StringIO(), {}, False),
        ("auto", Terminal(), {"NO_COLOR": "1"}, False),
        ("auto", Terminal(), {"NO_COLOR": ""}, True),
        ("auto", Terminal(), {"TERM": "dumb"}, False),
        ("always", io.StringIO(), {"NO_COLOR": "1"}, True),
        ("never", Terminal(), {}, False),
    ],
)
def test_colour_is_for_terminals(choice, stream, environ, wanted):
    """A pipe gets none, unless it is asked for."""
    assert wants_colour(choice, stream, environ) is wanted


def test_the_width_is_that_of_the_terminal():
    """At least 80 columns, also of a terminal that says nothing, and of a pipe."""
    master, slave = pty.openpty()
    with os.fdopen(master, "wb"), os.fdopen(slave, "w") as terminal:
        assert columns(terminal) == 80
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", 40, 132, 0, 0))
        assert columns(terminal) == 132
    assert columns(io.StringIO()) == 80
