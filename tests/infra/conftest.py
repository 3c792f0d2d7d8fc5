"""The fixtures of the end-to-end tests, for those here that ask a running daemon."""

from tests.e2e.conftest import daemon, make_daemon

__all__ = ["daemon", "make_daemon"]
