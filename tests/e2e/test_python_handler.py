"""Python's own logging.handlers.SysLogHandler, which ends a message over TCP with NUL."""

import logging
import logging.handlers
import socket

import pytest

from tests.e2e.harness import Daemon

MESSAGES = 1000


# Not over TCP without NUL: there would be nothing to tell the messages apart by.
@pytest.mark.parametrize(
    ("input", "kind", "append_nul"),
    [
        ("udp", socket.SOCK_DGRAM, True),
        ("udp", socket.SOCK_DGRAM, False),
        ("tcp", socket.SOCK_STREAM, True),
    ],
)
def test_sys_log_handler(
    daemon: Daemon, input: str, kind: socket.SocketKind, append_nul: bool
) -> None:
    """Each message is a record of its own, without the NUL, with level and facility."""
    handler = logging.handlers.SysLogHandler(
        daemon.address(input), logging.handlers.SysLogHandler.LOG_LOCAL5, socktype=kind
    )
    handler.append_nul = append_nul
    handler.setFormatter(logging.Formatter("shop[12]: %(message)s"))
    logger = logging.Logger("shop")
    logger.addHandler(handler)
    for number in range(MESSAGES):
        logger.warning("order %d is late", number)
    handler.close()

    records = daemon.wait_records(MESSAGES)
    assert [record["msg"] for record in records] == [
        f"order {number} is late" for number in range(MESSAGES)
    ]
    for record in records:
        assert (record["app"], record["procid"]) == ("shop", "12")
        assert (record["level"], record["facility"]) == ("WARN", "local5")
