"""How far property tests search is one number, for all of them."""

import pytest
from hypothesis import settings

from tests.depth import DEPTH_VARIABLE, USUAL_EXAMPLES, examples


@pytest.mark.parametrize(("depth", "factor"), [(None, 1), ("", 1), ("3", 3)])
def test_a_depth_multiplies_the_examples(
    monkeypatch: pytest.MonkeyPatch, depth: str | None, factor: int
) -> None:
    """Those of `make test` are what a test says; `make test-long` has more of them."""
    monkeypatch.delenv(DEPTH_VARIABLE, raising=False)
    if depth is not None:
        monkeypatch.setenv(DEPTH_VARIABLE, depth)
    assert examples(340) == 340 * factor


def test_who_says_no_number_has_the_usual_one() -> None:
    """Times the depth of this very run."""
    assert settings().max_examples == examples(USUAL_EXAMPLES)
