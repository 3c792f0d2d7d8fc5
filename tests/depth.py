"""How far property tests search: as a developer waits for in `make test`, or as far as you like.

Each test that says how many examples it has says those of `make test`; LOGOPSD_TEST_DEPTH
multiplies them all, also those of tests that leave the number to hypothesis.
"""

import os

DEPTH_VARIABLE = "LOGOPSD_TEST_DEPTH"
USUAL_EXAMPLES = 100
"""Of a test that leaves the number to hypothesis."""


def examples(count: int) -> int:
    """Return how many examples a test has that has `count` of them in `make test`."""
    return count * int(os.environ.get(DEPTH_VARIABLE) or 1)
