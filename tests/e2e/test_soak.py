"""The soak in its short form; `make soak` is the long one."""

import pytest

from tests.soak.soak import soak

SECONDS = 10.0
CALM_SECONDS = (0.2, 0.6)  # between two faults: so that all five come in that time
FAULTS = {"reload", "move file", "stop and go", "idle peers"}  # and a full disk, where it may be


@pytest.mark.parametrize("seed", [7])
def test_a_short_soak(seed: int) -> None:
    """All inputs at once, with faults: flat memory, no file left open, a closed account."""
    result = soak(SECONDS, seed, CALM_SECONDS)
    print("\n".join(result.lines()))
    assert result.problems == []
    assert result.stored > 10_000
    assert result.faults.keys() >= FAULTS
    assert min(result.sent.values()) > 0
