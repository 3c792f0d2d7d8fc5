"""A worker's part of the whole."""

from pathlib import Path

import pytest

from logopsd.assembly.share import Share
from logopsd.config import load

MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("given", "connections", "high_water"),
    [
        ({}, 3334, 64 * MIB // 3),
        ({"LOGOPS_MAX_CONNECTIONS": "0"}, 0, 64 * MIB // 3),
        ({"LOGOPS_MAX_CONNECTIONS": "1", "LOGOPS_SINK_HIGH_WATER": "1MiB"}, 1, MIB),
    ],
)
def test_what_tells_of_all_is_divided(
    given: dict[str, str], connections: int, high_water: int
) -> None:
    """Rounded up where a part of it would be nothing; no limit stays none."""
    settings = Share(2, 3, {}).of(load(given, directory=Path()))
    assert (settings.max_connections, settings.sink_high_water) == (connections, high_water)


def test_what_there_is_once_belongs_to_no_worker() -> None:
    """The side port, what opens tokens there, and retention; all else is as it was."""
    given = {"LOGOPS_RETENTION_DAYS": "7", "LOGOPS_UDP_PORT": "5140"}
    whole = load(given, directory=Path())
    settings = Share(1, 2, {}).of(whole)
    assert (settings.metrics_port, settings.debug_decrypt_token) == (None, None)
    assert settings.housekeep_autorun is False
    assert (settings.retention_days, settings.udp_port) == (7, 5140)
    assert Share(12, 64, {}).suffix == "-w12"
