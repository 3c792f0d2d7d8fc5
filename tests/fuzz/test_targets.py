"""The fuzz targets on their seeds and near them: `make fuzz` looks further."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_seeds(name: str) -> None:
    """Each seed is taken without a defect, and so is each of its beginnings."""
    run, seeds = TARGETS[name]
    for seed in seeds:
        for end in {len(seed), len(seed) // 2, len(seed) // 3}:
            run(seed[:end])


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=30, derandomize=True)  # what is new is for `make fuzz` to find
@given(data=st.data())
def test_mutations(name: str, data: st.DataObject) -> None:
    """A seed with something put into its place at some place is taken without a defect."""
    run, seeds = TARGETS[name]
    seed = data.draw(st.sampled_from(seeds))
    start = data.draw(st.integers(0, len(seed)))
    end = data.draw(st.integers(start, len(seed)))
    run(seed[:start] + data.draw(st.binary(max_size=32)) + seed[end:])
