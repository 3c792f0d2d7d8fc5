"""The soak in its short form; `make soak` is the long one."""

import pytest

from tests.soak.soak import soak

SECONDS = 20.0


@pytest.mark.parametrize("seed", [7])
def test_a_short_soak(seed: int) -> None:
    """All inputs at once, with faults: flat memory, no file left open, a closed account."""
    result = soak(SECONDS, seed)
    print("\n".join(result.lines()))
    assert result.problems == []
    assert result.stored > 10_000
    assert min(result.sent.values()) > 0
